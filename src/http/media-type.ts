/** Gives the type to send a part with: the one that the mail states, if that is one at all. */
export function safeType(contentType: string): string {
  const isType = /^[!#$%&'*+\-.^_`|~0-9a-z]{1,127}\/[!#$%&'*+\-.^_`|~0-9a-z]{1,127}$/.test(contentType);
  return isType ? contentType : 'application/octet-stream';
}
