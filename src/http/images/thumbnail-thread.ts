import { answerJobs } from '../../mail/killable-thread.ts';
import { blankThumbnail, makeThumbnail } from './thumbnail.ts';

/** Entry of the thread that makes thumbnails: the bytes of a picture come in, or null for a blank one; a JPEG goes out. */
answerJobs<Uint8Array | null, Uint8Array | undefined>((bytes, retire) => {
  if (bytes === null) return blankThumbnail();
  try {
    return makeThumbnail(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch {
    retire(); // the decoder stopped at a broken picture, as it should, and left its memory in disorder
    return undefined;
  }
});
