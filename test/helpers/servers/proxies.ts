// nginx and HAProxy from Debian's packages, in front of processes that are already running. Both
// are set to send a POST again to another process if the first one gives no answer.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, ServerProcess, type Program, type Server } from './server-process';

export type ProxyName = 'nginx' | 'HAProxy';

interface ProxyProgram {
  readonly file: string;
  /** Writes the configuration. */
  readonly configure: (paths: {
    readonly dir: string;
    readonly port: number;
    readonly ports: readonly number[];
  }) => string;
  readonly args: (dir: string, configuration: string) => readonly string[];
}

const PROGRAMS: Record<ProxyName, ProxyProgram> = {
  nginx: {
    file: 'nginx',
    configure: ({ dir, port, ports }) => `
daemon off;
master_process off;
pid ${dir}/pid;
events {}
http {
  access_log off;
${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `  ${name}_temp_path ${dir}/${name};\n`).join('')}
  upstream app {
${ports.map((target) => `    server 127.0.0.1:${target};\n`).join('')}
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://app;
      proxy_next_upstream error timeout non_idempotent;
    }
  }
}
`,
    args: (dir, configuration) => ['-p', dir, '-e', 'stderr', '-c', configuration],
  },
  HAProxy: {
    file: 'haproxy',
    configure: ({ port, ports }) => `
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  retries 3
  option redispatch 1
  retry-on conn-failure empty-response response-timeout
frontend public
  bind 127.0.0.1:${port}
  default_backend app
backend app
  balance roundrobin
${ports.map((target, n) => `  server app${n} 127.0.0.1:${target}\n`).join('')}
`,
    args: (_dir, configuration) => ['-db', '-f', configuration],
  },
};

/** @param ports those of the processes behind it */
export async function startProxy(name: ProxyName, ports: readonly number[]): Promise<Server> {
  const { file, configure, args } = PROGRAMS[name];
  return ServerProcess.start({
    name,
    program: (dir, port): Program => {
      const path = join(dir, 'configuration');
      writeFileSync(path, configure({ dir, port, ports }));
      return { file: findProgram(file) ?? file, args: args(dir, path) };
    },
    probe: async (port) => {
      await fetch(`http://127.0.0.1:${port}/`);
    },
  });
}

export function missingProxy(name: ProxyName): string | null {
  const { file } = PROGRAMS[name];
  return findProgram(file) === null ? `${file} is not installed; run .ci/install.` : null;
}
