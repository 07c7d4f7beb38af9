import { createRequire } from 'node:module';
import type { FastifySchemaCompiler, FastifyServerOptions } from 'fastify';

type SchemaController = NonNullable<FastifyServerOptions['schemaController']>;
type Compilers = NonNullable<SchemaController['compilersFactory']>;
type Compile = FastifySchemaCompiler<object>;
type Validate = ReturnType<Compile>;

/** What is wrong is said, and not put right or left out in silence. */
const OPTIONS = { coerceTypes: false, removeAdditional: false, useDefaults: true } as const;

const load = createRequire(import.meta.url);
let compile: Compile | undefined;

/**
 * What Fastify checks requests by. A schema is compiled, and the compiler loaded, when the first request is held against
 * it: all of them take longer than the rest of what stands between the modules of HTTP and a daemon that listens. Replies
 * have no schemas.
 */
export const LATE_SCHEMAS: SchemaController = {
  compilersFactory: {
    // the type is that of Ajv's own functions, of which Fastify asks no more than this
    buildValidator: (() => validateLate) as unknown as NonNullable<Compilers['buildValidator']>,
    buildSerializer: () => () => JSON.stringify,
  },
};

function validateLate(route: Parameters<Compile>[0]): Validate {
  let check: Validate | undefined;
  const validate: Validate = (data: unknown) => {
    compile ??= createCompiler();
    check ??= compile(route);
    const isValid = check(data);
    validate.errors = check.errors ?? null;
    return isValid;
  };
  return validate;
}

function createCompiler(): Compile {
  const { AjvCompiler } = load('@fastify/ajv-compiler') as typeof import('@fastify/ajv-compiler');
  return AjvCompiler()({}, { customOptions: OPTIONS });
}
