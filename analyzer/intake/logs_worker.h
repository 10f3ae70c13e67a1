#ifndef ANALYZER_INTAKE_LOGS_WORKER_H_
#define ANALYZER_INTAKE_LOGS_WORKER_H_

/*
 * API logs among what was taken, for collector/intake.h: every file of the
 * class api-logs through formats/logs, in byte order of the paths.  Records
 * become lines of metadata/derived/requests.jsonl (type "request"); what each
 * file came to, what could not be read and where secrets stand become lines of
 * notes.jsonl (types "log", "log-problem", "log-secret").  docs/LOGS.md.
 *
 * The window, the zone of local times and whether contents are masked come in
 * the collector's message (custody/derive.h).  Digests are made here; those
 * of secrets are of the secret's bytes alone.  Its frames are logwire.h's.
 */
int logs_worker_main(void *arg, int out_fd);

#endif /* !ANALYZER_INTAKE_LOGS_WORKER_H_ */
