import createPurifier, { type DOMPurify, type WindowLike } from 'dompurify';

let made: Promise<DOMPurify> | undefined;

/**
 * A DOMPurify that works in a hidden frame of its own.
 *
 * It parses mails into documents that show nothing and load nothing, yet the policy of the window they come from holds
 * for them: under the page's, each of the thousands of style attributes of a newsletter is a violation to be logged.
 * The daemon's blank frame allows styles, and nothing else at all.
 */
export function purifier(): Promise<DOMPurify> {
  made ??= makePurifier().catch((error: unknown) => {
    made = undefined; // the daemon was away: the next mail tries again
    throw error;
  });
  return made;
}

function makePurifier(): Promise<DOMPurify> {
  const frame = document.createElement('iframe');
  frame.hidden = true;
  frame.src = new URL('frame', document.baseURI).href;
  return new Promise((resolve, reject) => {
    frame.onerror = () => reject(new Error('no frame'));
    frame.onload = () => {
      const inside = frame.contentWindow;
      // a frame that could not be loaded shows the browser's error page, which is of another origin
      if (frame.contentDocument === null || inside === null) {
        frame.remove();
        reject(new Error('no frame'));
      } else resolve(createPurifier(inside as unknown as WindowLike));
    };
    document.body.append(frame);
  });
}
