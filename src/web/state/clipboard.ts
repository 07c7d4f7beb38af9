/** Copies a text. The clipboard proper exists in secure contexts only, and a daemon in a local network is none. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  const field = document.createElement('textarea');
  field.value = text;
  field.setAttribute('readonly', '');
  field.className = 'offstage';
  document.body.append(field);
  field.select();
  document.execCommand('copy');
  field.remove();
}
