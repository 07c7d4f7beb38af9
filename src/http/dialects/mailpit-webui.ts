import type { FastifyInstance } from 'fastify';
import { CALM, CHAOS_PLACES, type Chaos, type ChaosPlace, type ChaosTrigger } from '../../mail/chaos.ts';
import { sendBadRequest, sendJson } from '../replies.ts';
import { type Body, decodeBody, foldKeys } from './mailpit-request.ts';

export interface WebuiOptions {
  /** Refusals by chance, shared with the receivers; absent is not enabled. */
  readonly chaos?: Chaos;
}

const NAMES: Readonly<Record<ChaosPlace, string>> = {
  sender: 'Sender',
  recipient: 'Recipient',
  authentication: 'Authentication',
};

/** What a page of Mailpit's wants to know about the server, and refusals by chance. */
export function addWebuiRoutes(app: FastifyInstance, options: WebuiOptions & { readonly hasSpamCheck: boolean }): void {
  const { chaos, hasSpamCheck } = options;

  app.get('/api/v1/webui', (_request, reply) =>
    sendJson(reply, {
      Label: '',
      MessageRelay: {
        Enabled: false, // nothing leaves
        SMTPServer: '',
        ReturnPath: '',
        AllowedRecipients: '',
        BlockedRecipients: '',
        OverrideFrom: '',
        PreserveMessageIDs: false,
        RecipientAllowlist: '',
      },
      SpamAssassin: hasSpamCheck,
      ChaosEnabled: chaos !== undefined,
      DuplicatesIgnored: false,
      HideDeleteAllButton: false,
    }),
  );

  app.get('/api/v1/chaos', (_request, reply) =>
    chaos === undefined ? sendBadRequest(reply, 'Chaos is not enabled') : sendJson(reply, toTriggers(chaos)),
  );

  app.put('/api/v1/chaos', { config: { right: 'admin' } }, (request, reply) => {
    if (chaos === undefined) return sendBadRequest(reply, 'Chaos is not enabled');
    const body = decodeBody(request);
    const triggers = body === undefined ? 'the body must be a JSON object' : readTriggers(body);
    if (typeof triggers === 'string') return sendBadRequest(reply, triggers);
    chaos.set(triggers);
    return sendJson(reply, toTriggers(chaos));
  });
}

function toTriggers({ triggers }: Chaos): object {
  return Object.fromEntries(
    CHAOS_PLACES.map((place) => {
      const { code, probability } = triggers[place];
      return [NAMES[place], { ErrorCode: code, Probability: probability }];
    }),
  );
}

/** Reads triggers, or says what is wrong with them. What is left out has its default. */
function readTriggers(body: Body): Partial<Record<ChaosPlace, ChaosTrigger>> | string {
  const triggers: Partial<Record<ChaosPlace, ChaosTrigger>> = {};
  for (const place of CHAOS_PLACES) {
    const given = body.get(place) ?? {};
    const fields = foldKeys(given);
    const code = fields?.get('errorcode') || CALM[place].code;
    const probability = fields?.get('probability') ?? 0;
    if (fields === undefined || !Number.isInteger(code) || !Number.isInteger(probability)) {
      return `${NAMES[place]} must be like {"ErrorCode": 451, "Probability": 5}`;
    }
    const trigger = { code: Number(code), probability: Number(probability) };
    if (trigger.code < 400 || trigger.code > 599) return 'error code must be between 400 and 599';
    if (trigger.probability < 0 || trigger.probability > 100) return 'probability must be between 0 and 100';
    triggers[place] = trigger;
  }
  return triggers;
}
