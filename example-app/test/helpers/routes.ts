// Lists every route of the app. It asks Express, so no route can be forgotten.
import type { Service } from './service';

interface Layer {
  readonly route?: { readonly path: string; readonly methods: Record<string, boolean> };
  readonly handle: { readonly stack?: readonly Layer[] };
}

export function listRoutes({ app }: Service): { method: string; path: string }[] {
  return collect((app as unknown as { router: { stack: Layer[] } }).router.stack);
}

function collect(layers: readonly Layer[]): { method: string; path: string }[] {
  return layers.flatMap(({ route, handle }) => {
    if (route !== undefined)
      return Object.keys(route.methods).map((method) => ({
        method: method.toUpperCase(),
        path: route.path,
      }));
    return handle.stack === undefined ? [] : collect(handle.stack);
  });
}
