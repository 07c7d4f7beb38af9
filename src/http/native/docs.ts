import { createHash } from 'node:crypto';
import { PROBLEMS } from '../problem.ts';
import { PATH_PARAMETERS, type Route, type Schema } from './route.ts';
import { SCHEMAS } from './schemas.ts';

const STYLE = `
:root { color-scheme: light dark; --line: #8886; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 3rem; }
section { border-top: 1px solid var(--line); padding: 1rem 0; }
code, pre { font: 0.9em ui-monospace, monospace; } pre { background: var(--soft); padding: 0.75rem; overflow-x: auto; }
h3 code { font-size: 1rem; } .method { display: inline-block; min-width: 4.5em; font-weight: 700; }
.right { border: 1px solid var(--line); border-radius: 1em; padding: 0 0.6em; font-size: 0.85rem; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; vertical-align: top; padding: 0.25rem 0.75rem 0.25rem 0; }
td { border-top: 1px solid var(--soft); } nav li { list-style: none; } nav ul { padding: 0; }
`;

/** The page may show itself and nothing else: no script, and no style but its own. */
export const DOCS_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Writes the description of the API for people, out of the rows that the routes are made of. */
export function docsPage(routes: readonly Route[], version: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>inboxd API</title><style>${STYLE}</style></head><body>
<h1>inboxd ${escapeText(version)}: API</h1>
<p>Every address has an inbox. Reading changes nothing; lists page by <code>cursor</code> and carry an <code>ETag</code>;
errors are <a href="#problems">problem documents</a> (RFC 9457). For programs: <a href="/api/openapi.json">openapi.json</a>.</p>
<p>Where credentials are wanted: <code>Authorization: Bearer TOKEN</code>, or Basic with a user, or with any name and a
token as password; in a browser the cookie of <code>POST /api/session</code>. Some tokens see only some inboxes.</p>
<nav><ul>
${routes.map((route) => `<li><a href="#${route.name}">${heading(route)}</a></li>`).join('\n')}
</ul></nav>
${routes.map(section).join('\n')}
<h2 id="problems">Problems</h2>
<table><tr><th>Type</th><th>Status</th><th>Meaning</th></tr>
${Object.entries(PROBLEMS)
  .map(
    ([name, { status, title }]) =>
      `<tr id="${name}"><td><code>${name}</code></td><td>${status}</td><td>${escapeText(title)}</td></tr>`,
  )
  .join('\n')}
</table>
<h2 id="objects">Objects</h2>
${Object.entries(SCHEMAS)
  .map(([name, schema]) => `<section id="object-${name}"><h3>${name}</h3><pre>${typeText(schema, 0)}</pre></section>`)
  .join('\n')}
</body></html>
`;
}

function heading({ method, path }: Route): string {
  return `<code><span class="method">${method}</span> ${escapeText(path)}</code>`;
}

function section(route: Route): string {
  const { name, summary, right, query = {}, body, replies } = route;
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, key]) => [key!, PATH_PARAMETERS[key!] ?? {}] as const);
  const parameters = [...inPath, ...Object.entries(query)];
  const rows = parameters.map(
    ([key, schema]) =>
      `<tr><td><code>${escapeText(key)}</code></td><td>${prose(String(schema.description ?? ''))}${bounds(schema)}</td></tr>`,
  );
  const answers = Object.entries(replies).map(([status, { description, schema, type }]) => {
    return `<tr><td>${status}</td><td>${prose(description)} ${schema ? typeText(schema, 0) : escapeText(type ?? '')}</td></tr>`;
  });
  return `<section id="${name}"><h3>${heading(route)}</h3>
<p>${prose(summary)}. ${right === 'public' ? 'Open to everybody.' : `Wants the right <span class="right">${right}</span>.`}</p>
${rows.length > 0 ? `<table><tr><th>Parameter</th><th>What it is</th></tr>${rows.join('')}</table>` : ''}
${body ? `<p>Body</p><pre>${typeText(body, 0)}</pre>` : ''}
<table><tr><th>Answer</th><th>What it is</th></tr>${answers.join('')}</table></section>`;
}

function bounds({ minimum, maximum, default: usual, enum: words }: Schema): string {
  const parts = [
    Array.isArray(words) ? `one of ${words.join(', ')}` : '',
    minimum !== undefined && maximum !== undefined ? `${minimum} to ${maximum}` : '',
    usual !== undefined ? `default ${usual}` : '',
  ].filter((part) => part !== '');
  return parts.length > 0 ? ` (${escapeText(parts.join('; '))})` : '';
}

/** Writes a schema the way TypeScript writes types. */
function typeText(schema: Schema, depth: number): string {
  const { $ref, type, enum: words, const: only, items, anyOf, properties, additionalProperties } = schema;
  if (typeof $ref === 'string') {
    const name = $ref.split('/').at(-1)!;
    return `<a href="#object-${name}">${name}</a>`;
  }
  if (Array.isArray(words)) return words.map((word) => escapeText(JSON.stringify(word))).join(' | ');
  if (only !== undefined) return escapeText(JSON.stringify(only));
  if (properties !== undefined) return objectText(schema, depth);
  if (Array.isArray(anyOf)) return anyOf.map((one: Schema) => typeText(one, depth)).join(' | ');
  if (type === 'array') return `${typeText(items as Schema, depth)}[]`;
  if (type === 'object') return `{ [name]: ${typeText((additionalProperties ?? {}) as Schema, depth)} }`;
  return escapeText(String(type ?? 'any'));
}

function objectText({ properties, required }: Schema, depth: number): string {
  const inner = '  '.repeat(depth + 1);
  const needed = new Set((required ?? []) as string[]);
  const lines = Object.entries(properties as Record<string, Schema>).map(
    ([name, schema]) => `${inner}${name}${needed.has(name) ? '' : '?'}: ${typeText(schema, depth + 1)}`,
  );
  return `{\n${lines.join('\n')}\n${'  '.repeat(depth)}}`;
}

/** Text for people, in which backticks stand around what is typed. */
function prose(text: string): string {
  return escapeText(text).replace(/`([^`]+)`/g, '<code>$1</code>');
}

function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
