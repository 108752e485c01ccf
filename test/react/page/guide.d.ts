// The code block of docs/react.md, as guide-client.tsx imports it.
declare module 'guide' {
  export const NewCodes: import('react').FunctionComponent<{
    readonly user: { readonly email: string };
    readonly onDone: () => void;
  }>;
}
