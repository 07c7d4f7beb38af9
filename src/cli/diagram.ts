import { nearest } from '../config/nearest.ts';
import { diagramOf, PROTOCOL_NAMES } from '../protocols.ts';
import { EXIT } from './exit-codes.ts';
import { complain, oneLine, print } from './output.ts';

/** `inboxd diagram <protocol>`: the table of a protocol as a Mermaid state diagram. */
export function showDiagram(protocol: string): number {
  const diagram = diagramOf(protocol);
  if (diagram === undefined) {
    const guess = nearest(protocol, PROTOCOL_NAMES);
    const advice = guess === undefined ? `there are ${PROTOCOL_NAMES.join(', ')}` : `did you mean ${guess}?`;
    complain(`no protocol ${oneLine(protocol)}; ${advice}`);
    return EXIT.NOTHING;
  }
  print(diagram.trimEnd());
  return EXIT.OK;
}
