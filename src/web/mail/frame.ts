/**
 * Shows a cleaned document in a frame, by posting it to the daemon and having it back under the frame's own policy
 * (src/http/frame.ts says why).
 * @param frame with a name, and fresh: its first load leaves no step in the browser's history
 */
export function showIn(frame: HTMLIFrameElement, html: string, remote: boolean): void {
  const form = document.createElement('form');
  form.method = 'post';
  form.action = new URL(`frame${remote ? '?images=remote' : ''}`, document.baseURI).href;
  form.enctype = 'text/plain';
  form.target = frame.name;
  form.hidden = true;
  const field = document.createElement('textarea');
  field.name = 'html';
  field.value = html;
  form.append(field);
  document.body.append(form);
  form.submit();
  // it is sent in a task of its own, and not at all if it has gone by then
  setTimeout(() => form.remove(), 1_000);
}
