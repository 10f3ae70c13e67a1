#ifndef BASE_BUG_H_
#define BASE_BUG_H_

/*
 * Our own promise broke.  BUG() says where on stderr and ends the process
 * with exit code 70 (a worker that does so becomes a finding).  It is never
 * used for anything that evidence, the system or a person can cause.
 */
#define BUG(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
#define BUG_ON(x) \
	do { \
		if (x) \
			BUG("%s", #x); \
	} while (0)

_Noreturn void bug_at(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif /* !BASE_BUG_H_ */
