#include <string.h>

#include "base/buf.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
#include "collector/intake.h"
#include "collector/run.h"
#include "collector/transport.h"
#include "custody/bag.h"

/*
 * transport.json: what the sealing side knows and the other side does not, or
 * could lie about.
 */
static void
put_program(struct json_write *w, const struct transport *t)
{
	json_kstr(w, "program", t->way);
	json_key(w, "program_sha256");
	if (t->program_sha256 != NULL) {
		json_hex(w, t->program_sha256, 32);
		json_ku64(w, "program_size", t->program_size);
	} else {
		json_null(w);
		json_knull(w, "program_size");
	}
}

static void
put_ssh(struct json_write *w, const struct transport *t,
    const struct collect_options *o)
{
	json_key(w, "argv");
	json_begin_array(w);
	for (size_t i = 0; t->argv != NULL && t->argv[i] != NULL; i++)
		json_text(w, t->argv[i], strlen(t->argv[i]), TEXT_PLAIN);
	json_end_array(w);
	json_key(w, "host_key");
	if (t->host_key[0] != '\0')
		json_text(w, t->host_key, strlen(t->host_key), TEXT_PLAIN);
	else
		json_null(w);
	put_program(w, t);
	json_key(w, "exit_status");
	if (t->has_status)
		json_i64(w, t->status);
	else
		json_null(w);
	json_key(w, "clock_offset_ns");
	if (t->has_clock)
		json_i64(w, t->clock_offset_ns);
	else
		json_null(w);
	json_key(w, "clock_offset_error_ns");
	if (t->has_clock)
		json_i64(w, t->clock_error_ns);
	else
		json_null(w);
	json_kstr(w, "agent", t->agent);
	json_ku64(w, "records_length", t->records_len);
	json_khex(w, "records_sha256", t->records_sha256, 32);
	/* completion.json is the other side's, which interprets nothing. */
	intake_facts(o->intake, w);
}

static void
put_sealer(struct json_write *w, const struct collect *c)
{
	json_key(w, "sealed_by");
	json_begin_object(w);
	facts_examiner(w, c);
	json_end_object(w);
	json_kstr(w, "case", c->o->case_id);
	facts_ledger(w, c);
	facts_time_stamp(w, c);
	facts_here(w, c);
}

int
transport_store(const struct transport *t, const struct collect_options *o,
    const struct collect_totals *totals, struct evidence_writer *w,
    struct err *e)
{
	struct collect c = {.o = o, .w = w, .e = e};
	struct json_write j;
	struct buf b;
	int r;

	buf_init(&b, 16 * MIB);
	json_init(&j, &b, JSON_PRETTY);
	json_begin_object(&j);
	json_kstr(&j, "kind", t->kind);
	json_ktext(&j, "from", t->from, strlen(t->from));
	json_ku64(&j, "stream_size", t->stream_size);
	json_khex(&j, "stream_sha256", t->stream_sha256, 32);
	if (strcmp(t->kind, "ssh") == 0)
		put_ssh(&j, t, o);
	json_kstr(&j, "result", totals->errors == 0 ? "complete" :
	    "incomplete");
	put_sealer(&j, &c);
	json_end_object(&j);
	if ((r = facts_store(&c, BAG_TRANSPORT, &b)) < 0)
		return r;
	return collect_certificates(&c);
}
