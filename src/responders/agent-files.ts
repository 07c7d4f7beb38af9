import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { threadEntry } from '../mail/killable-thread.ts';
import { RESPONDER_LIMITS } from './limits.ts';

/** A module that answers mail. */
export interface AgentFile {
  /** As it was named: a path, or `builtin:time`. */
  readonly source: string;
  readonly url: URL;
  /** '' for one of ours, which does not change. */
  readonly path: string;
}

/** Agents that come with the daemon. */
export const BUILTIN_AGENTS = ['time', 'echo'] as const;

/** @param source absolute path, or `builtin:` and a name of BUILTIN_AGENTS */
export function agentFile(source: string): AgentFile {
  const name = /^builtin:(.*)$/s.exec(source)?.[1];
  if (name === undefined) return { source, url: pathToFileURL(source), path: source };
  return { source, url: threadEntry(`./agents/${name}`, import.meta.url), path: '' };
}

/** What tells a file from what it was before. @throws the system's error */
export async function stampOf({ path }: AgentFile): Promise<string> {
  if (path === '') return '';
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join();
}

/** `echo.ts` is the agent of `echo`; what begins with a dot or an underscore is none, nor are types alone. */
const AGENT_NAME = /^(?![._])(.+?)(?<!\.d)\.m?[jt]s$/;

/**
 * Lists the agents of a folder by the names of their files, in the order of these. The names of inboxes are found in this
 * list; no path is ever made of what came with a mail.
 * @throws the system's error
 */
export async function listAgents(folder: string): Promise<readonly (readonly [name: string, file: AgentFile])[]> {
  const names = (await readdir(folder)).sort();
  return names
    .flatMap((name) => {
      const match = AGENT_NAME.exec(name);
      return match ? [[match[1]!, agentFile(join(folder, name))] as const] : [];
    })
    .slice(0, RESPONDER_LIMITS.folderAgents);
}
