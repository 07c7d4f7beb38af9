import type { Config } from '../config/settings.ts';
import type { WebhookChoice } from '../config/webhook-kinds.ts';
import type { Resolver } from '../mail/resolver.ts';
import { addressesOf, BlockedError, reasonOf } from '../outbound/pinned-request.ts';
import { isPublicAddress } from '../outbound/public-address.ts';
import { choicesOf, secretFileOf } from '../webhooking.ts';
import { createReach } from '../webhooks/reach.ts';
import { readText, SecretFile } from '../webhooks/secrets.ts';
import { bad, doubtful, type Finding, good } from './finding.ts';

const LOOK_UP_MS = 10_000;

/** Whether webhooks can be found, may be asked, and have what signs for them. Nothing is sent. */
export async function checkWebhooks(config: Config, resolver: Resolver): Promise<Finding[]> {
  const findings = await Promise.all(choicesOf(config).map((choice) => checkWebhook(choice, config, resolver)));
  return findings.flat();
}

async function checkWebhook(choice: WebhookChoice, config: Config, resolver: Resolver): Promise<Finding[]> {
  const findings: Finding[] = [];
  const { name, caFile } = choice;
  const url = new URL(choice.url);
  const reach = createReach(resolver, choice.allowPrivate ?? config.webhookAllowPrivate);
  try {
    const addresses = await addressesOf(url, reach, AbortSignal.timeout(LOOK_UP_MS));
    findings.push(good('webhook', `${name} is at ${url.host} (${addresses.join(', ')})`));
    if (url.protocol === 'http:' && addresses.some(isPublicAddress)) {
      const remedy = 'let it have https: mail goes there in clear text';
      findings.push(doubtful('webhook', `${name} is told over the Internet without encryption`, remedy));
    }
  } catch (error) {
    findings.push(
      error instanceof BlockedError
        ? bad('webhook', `${name}: ${url.host} has a private address`, 'set allow-private for it if that is meant')
        : bad('webhook', `${name}: ${url.host}: ${reasonOf(error)}`, 'see that its URL and the DNS are right'),
    );
  }
  const secretFile = secretFileOf(choice, config);
  try {
    if (caFile !== '') readText(caFile);
    if (secretFile !== '') new SecretFile(secretFile);
    else findings.push(doubtful('webhook', `${name} is not signed`, 'give it a secret-file, so that nobody else can call it in our name')); // biome-ignore format: a line
  } catch (error) {
    findings.push(bad('webhook', `${name}: ${(error as Error).message}`, 'put the file right; a reload takes it up'));
  }
  return findings;
}
