/** What not to do: a module without a sink. */
export const version = 1;
