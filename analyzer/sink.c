#include <string.h>

#include "analyzer/sink.h"

#define SINK(id) extern const struct sink_ops sink_##id;
#include "analyzer/sinks.def"
#undef SINK

static const struct sink_ops *const sinks[] = {
#define SINK(id) &sink_##id,
#include "analyzer/sinks.def"
#undef SINK
};

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
sink_summary(struct sink *s, const struct result_summary *r, struct err *e)
{
	return s->ops->summary(s, r, e);
}
