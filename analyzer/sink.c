#include <string.h>

#include "analyzer/sink.h"
#include "analyzer/sink_text_diff.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"

#define SINK(id) extern const struct sink_ops sink_##id;
#include "analyzer/sinks.def"
#undef SINK

static const struct sink_ops *const sinks[] = {
#define SINK(id) &sink_##id,
#include "analyzer/sinks.def"
#undef SINK
};

int
sink_flush(struct sink *s, struct buf *b, struct err *e)
{
	int r;

	if ((r = buf_failed(b)) < 0)
		r = err_set(e, (enum err_code)r, "cannot write a result");
	else
		r = fsio_write_all(s->fd, b->p, b->len, e);
	buf_release(b);
	return r;
}

const struct sink_ops *
sink_find(const char *name)
{
	for (size_t i = 0; i < sizeof(sinks) / sizeof(sinks[0]); i++)
		if (strcmp(sinks[i]->name, name) == 0)
			return sinks[i];
	return NULL;
}

int
sink_header(struct sink *s, const struct result_header *h, struct err *e)
{
	s->first = true;
	return s->ops->header(s, h, e);
}

int
sink_object(struct sink *s, const struct result_object *o, struct err *e)
{
	return s->ops->object(s, o, e);
}

int
sink_finding(struct sink *s, const struct result_finding *f, struct err *e)
{
	return s->ops->finding(s, f, e);
}

int
sink_call(struct sink *s, const struct result_call *c, struct err *e)
{
	return s->ops->call(s, c, e);
}

int
sink_carved(struct sink *s, const struct result_carved *c, struct err *e)
{
	return s->ops->carved(s, c, e);
}

int
sink_diff(struct sink *s, const struct result_diff *r, struct err *e)
{
	return s->ops->diff != NULL ? s->ops->diff(s, r, e) : 0;
}

void
sink_release(struct sink *s)
{
	sink_text_diff_free(s->text);
	s->text = NULL;
}

int
sink_summary(struct sink *s, const struct result_summary *r, struct err *e)
{
	return s->ops->summary(s, r, e);
}
