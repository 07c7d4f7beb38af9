/** Limits of agents and of what leaves the daemon; nothing reads a default from anywhere else. */
export const RESPONDER_LIMITS = Object.freeze({
  /** How long an agent may take for one mail, the parsing of it and the loading of its module included. */
  agentMs: 10_000,
  /** Memory of the JavaScript of an agent's thread. */
  agentBytes: 128 * 1024 * 1024,
  /** Agents that work at once, each in a thread of its own, and how many of these may be the same one. */
  agentsAtOnce: 4,
  sameAgentAtOnce: 3,
  /** Until a thread with nothing to do is stopped. */
  idleMs: 60_000,
  /** How often the files of agents are looked at. */
  watchMs: 1_000,
  /** Files of the folder that are agents. */
  folderAgents: 1_000,
  /** Characters that an agent may print for one mail. */
  printedCharacters: 4_096,
  /** Mails that wait for an agent; with more, the store keeps them until these are done. */
  jobs: 10_000,
  /** How often a mail is begun with; more than one means that the daemon died over it. */
  attempts: 5,
  /** Largest mail that an agent is shown. */
  mailBytes: 25 * 1024 * 1024,
  /** Header block that is looked at for loops, and its fields. */
  headerBytes: 256 * 1024,
  headerFields: 5_000,
  /** Age beyond which a mail is not answered any more. */
  answerWithinMs: 86_400_000,
  /** One answer to the same sender from the same inbox in this time. */
  intervalMs: 3_600_000,
  /** Answers to everybody in an hour, and as many forwarded. */
  answersPerHour: 1_000,
  /** Servers that a mail may have passed before it is taken to go in circles. */
  receivedFields: 30,
  /** Of an answer: subject, each of its texts, attachments, headers, and everything together. */
  subjectCharacters: 500,
  textCharacters: 1024 * 1024,
  attachments: 20,
  attachmentBytes: 5 * 1024 * 1024,
  headers: 20,
  headerCharacters: 900,
  /** Ids in References. */
  references: 20,
  /** Mails that wait to leave. */
  outgoingMails: 1_000,
  /** How long a mail waits for the smarthost at most. */
  outgoingMs: 86_400_000,
  /** Wait behind the first failure of the smarthost, doubled with each further one up to the longest. */
  retryMs: 30_000,
  longestRetryMs: 3_600_000,
  /** Of a connection to the smarthost: making it, its greeting, and each of its replies. */
  connectMs: 20_000,
  replyMs: 120_000,
  /** Files in the outbox; the oldest go first. */
  outboxFiles: 1_000,
});
