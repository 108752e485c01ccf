// The workflows of CI: the actions that they use, their permissions, and the commands that they
// run. No compiler checks a workflow.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NODES } from '../matrix/versions';
import { parse as parseYaml } from 'yaml';

interface Job {
  readonly permissions?: unknown;
  readonly needs?: string;
  readonly 'timeout-minutes': unknown;
  readonly strategy?: { readonly matrix: Readonly<Record<string, readonly string[]>> };
  readonly steps: readonly { readonly uses?: string; readonly run?: string }[];
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: unknown;
  readonly concurrency: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

const ROOT = join(__dirname, '../..');
const WORKFLOWS = join(ROOT, '.github/workflows');
const read = (name: string): string => readFileSync(join(WORKFLOWS, name), 'utf8');
const parse = (name: string): Workflow => parseYaml(read(name)) as Workflow;
const stepsOf = (workflow: Workflow): Job['steps'] =>
  Object.values(workflow.jobs).flatMap(({ steps }) => steps);
const commandsOf = (workflow: Workflow): string[] =>
  stepsOf(workflow)
    .flatMap(({ run = '' }) => run.split(/\n|&&/))
    .map((command) => command.trim())
    .filter((command) => command !== '');

const { scripts, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
  version: string;
};

/** Whether the script or file of a command exists. `false` for a command that is unknown here. */
function exists(command: string): boolean {
  const [, script] = /^npm run ([\w:]+)(?: |$)/.exec(command) ?? [];
  if (script !== undefined) return script in scripts;
  const [, file] = /^(?:bash|node) (\S+)$/.exec(command) ?? [];
  if (file !== undefined) return existsSync(join(ROOT, file));
  return (
    command === 'npm ci' ||
    /^(?:sudo apt-get (?:update|install)|npm publish|gh release create) ?/.test(command)
  );
}

describe.each(readdirSync(WORKFLOWS))('%s', (name) => {
  const workflow = parse(name);

  it('A workflow uses only actions of GitHub, each pinned to a commit', () => {
    const lines = read(name)
      .split('\n')
      .filter((line) => line.includes('uses:'));
    expect(lines).toHaveLength(stepsOf(workflow).filter(({ uses }) => uses !== undefined).length);
    expect(
      lines.filter(
        (line) => !/^ +(?:- )?uses: actions\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line),
      ),
    ).toEqual([]);
  });

  it('A workflow pins each version of an action to one commit', () => {
    const pins = new Set(read(name).match(/actions\/[\w-]+@.*/g));
    expect(pins.size).toBe(new Set([...pins].map((pin) => pin.replace(/@\S+/, ''))).size);
  });

  it('A workflow may only read the code, except the job that publishes', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' });
    expect(
      Object.keys(workflow.jobs).filter((job) => 'permissions' in workflow.jobs[job]!),
    ).toEqual(name === 'release.yml' ? ['publish'] : []);
  });

  it('A workflow has a time limit, and only a newer push to a pull request cancels it', () => {
    expect(
      Object.values(workflow.jobs)
        .map((job) => job['timeout-minutes'])
        .filter((minutes) => !(typeof minutes === 'number' && minutes <= 60)),
    ).toEqual([]);
    const isCancelled =
      name === 'release.yml' ? false : "${{ github.event_name == 'pull_request' }}";
    expect(workflow.concurrency).toEqual({
      group: '${{ github.workflow }}-${{ github.ref }}',
      'cancel-in-progress': isCancelled,
    });
  });

  it('A workflow runs only scripts and files that exist', () => {
    expect(commandsOf(workflow)).not.toEqual([]);
    expect(commandsOf(workflow).filter((command) => !exists(command))).toEqual([]);
  });

  it('A workflow has no command that a pull request could control', () => {
    const expressions = commandsOf(workflow).flatMap(
      (command) => command.match(/\$\{\{.*?\}\}/g) ?? [],
    );
    expect(
      expressions.filter((expression) => !/^\$\{\{ matrix\.\w+ \}\}$/.test(expression)),
    ).toEqual([]);
  });
});

describe('ci.yml', () => {
  const { on, jobs } = parse('ci.yml');

  it('ci.yml runs on every push and pull request', () => {
    expect(on).toEqual({ push: null, pull_request: null });
  });

  it('ci.yml runs every test on a bare machine', () => {
    expect(jobs['test']?.steps.flatMap(({ run }) => run ?? [])).toEqual(['bash .ci/run']);
  });

  it('ci.yml runs the matrix on each version of Node', () => {
    expect(jobs['matrix']?.strategy?.matrix).toEqual({ node: [...NODES] });
    expect(jobs['matrix']?.steps.at(-1)?.run).toBe(
      'npm run test:matrix -- --node ${{ matrix.node }}',
    );
  });
});

describe('release.yml', () => {
  const { on, jobs } = parse('release.yml');
  const publish = jobs['publish']!;

  it('release.yml runs only for the tag of a version', () => {
    expect(on).toEqual({ push: { tags: ['v[0-9]+.[0-9]+.[0-9]+*'] } });
  });

  it('release.yml publishes after all tests, with provenance and without an npm token', () => {
    expect(jobs['test']?.steps.at(-1)?.run).toBe('bash .ci/run');
    expect(publish.needs).toBe('test');
    expect(publish.permissions).toEqual({ contents: 'write', 'id-token': 'write' });
    expect(publish.steps.flatMap(({ run }) => run ?? []).slice(1)).toEqual([
      'node .ci/check-release.js',
      'npm run sbom',
      'npm publish --provenance --access public',
      'gh release create "$GITHUB_REF_NAME" sbom.json --verify-tag --generate-notes',
    ]);
    expect(read('release.yml')).not.toMatch(/NODE_AUTH_TOKEN|NPM_TOKEN|secrets\./);
  });

  it.each([
    [
      'check-release refuses the tag of another version',
      'v9.9.9',
      `## ${version} - 2026-01-01\n`,
      'The tag is v9.9.9',
    ],
    [
      'check-release refuses a version that is not in the changelog',
      `v${version}`,
      '## Unreleased\n\n## 0.0.1 - 2026-01-01\n',
      'CHANGELOG.md has no',
    ],
    [
      'check-release refuses changes that are still under "Unreleased"',
      `v${version}`,
      `## Unreleased\n\n- A change.\n\n## ${version} - 2026-01-01\n`,
      'under "Unreleased"',
    ],
    [
      'check-release accepts a tag and a changelog that match',
      `v${version}`,
      `## Unreleased\n\n## ${version} - 2026-01-01\n\n- A change.\n`,
      '',
    ],
  ])('%s', (_what, tag, changelog, problem) => {
    const directory = mkdtempSync(join(tmpdir(), 'backup-codes-release-'));
    writeFileSync(join(directory, 'CHANGELOG.md'), changelog);
    const { status, stderr } = spawnSync(
      process.execPath,
      [join(ROOT, '.ci/check-release.js'), join(directory, 'CHANGELOG.md')],
      { encoding: 'utf8', env: { ...process.env, GITHUB_REF_NAME: tag } },
    );
    rmSync(directory, { recursive: true });
    // The owner adds the repository to package.json before the first release.
    const problems = stderr
      .trim()
      .split('\n')
      .filter((line) => line !== '' && !line.includes('has no repository'));
    expect(problems).toHaveLength(problem === '' ? 0 : 1);
    expect([problems.join(''), status]).toEqual([
      expect.stringContaining(problem),
      stderr === '' ? 0 : 1,
    ]);
  });
});
