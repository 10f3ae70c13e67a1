#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bug.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/remote.h"
#include "cli/remote_parts.h"
#include "custody/body_frames.h"
#include "custody/digest.h"

/*
 * Method.  The processes that look at what comes (says, pump, worker) are
 * started first, with pipes whose writing ends ssh gets later.  ssh is forked
 * and at once becomes another program; it gets three descriptors and, by
 * name, the pipe for its own messages.
 */
#define ARGV_MAX 256
/* How long ssh may take to end when nothing more is to come. */
#define LOOK_SECONDS 5
#define END_SECONDS 60

int64_t
remote_deadline(int seconds)
{
	return clock_mono_ns() + 1000000000LL * seconds;
}

struct ssh_job {
	const char *const *argv;
	int in, out, err;
};

static _Noreturn void
become(const struct ssh_job *j)
{
	/* So that Ctrl-C reaches it, and a question reaches the person. */
	(void)setpgid(0, getpgid(getppid()));
	if (dup2(j->in, STDIN_FILENO) >= 0 &&
	    dup2(j->out, STDOUT_FILENO) >= 0 &&
	    dup2(j->err, STDERR_FILENO) >= 0)
		(void)execvp(j->argv[0], (char *const *)(uintptr_t)j->argv);
	(void)dprintf(j->err, "cannot run ssh: %s\n",
	    strerrordesc_np(errno));
	_exit(127);
}

static int
ssh_main(void *arg, int out_fd)
{
	(void)out_fd;
	become(arg);
}

static int
start_ssh(struct remote *m, int in, int out, struct err *e)
{
	struct ssh_job j = {m->argv, in, out, m->err[1]};
	const int keep[] = {in, out, m->err[1]};

	return proc_spawn(&m->ssh, ssh_main, &j, keep, 3, 0, e);
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static int
make_pipe(int fds[2], struct err *e)
{
	return pipe2(fds, O_CLOEXEC) == 0 ? 0 :
	    err_sys(e, errno, "cannot make a pipe");
}

/* ssh's words; the command for the shell over there is the last. */
static int
make_argv(struct remote *m, const char *command, struct err *e)
{
	static const char *const ours[] = {"BatchMode=yes",
	    "ConnectTimeout=30", "ServerAliveInterval=15",
	    "ServerAliveCountMax=8", "ControlMaster=no", "ControlPath=none",
	    "ClearAllForwardings=yes", "PermitLocalCommand=no"};
	size_t n = 0;

	if (m->p.options->count > ARGV_MAX / 2 - 24)
		return err_set(e, ERR_ARG, "too many options for ssh");
	(void)snprintf(m->log_path, sizeof(m->log_path), "/proc/%ld/fd/%d",
	    (long)getpid(), m->log[1]);
	m->argv[n++] = "ssh";
	m->argv[n++] = "-Tax";
	m->argv[n++] = "-v";
	m->argv[n++] = "-E";
	m->argv[n++] = m->log_path;
	/* The first of two settings is the one that counts. */
	for (size_t i = 0; i < m->p.options->count; i++) {
		m->argv[n++] = "-o";
		m->argv[n++] = m->p.options->items[i];
	}
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		m->argv[n++] = "-o";
		m->argv[n++] = ours[i];
	}
	m->argv[n++] = "--";
	m->argv[n++] = m->p.host;
	m->argv[n++] = command;
	m->argv[n] = NULL;
	return 0;
}

/* --- the look ------------------------------------------------------------- */

static int
have_look(struct remote *m, struct err *e)
{
	int to[2] = {-1, -1}, from[2] = {-1, -1}, r, status;
	struct proc look = {.fd = -1};
	struct buf b;

	buf_init(&b, 16 * KIB);
	buf_puts(&b, "exec sh -c ");
	remote_quote(&b, remote_look_script);
	if ((r = make_argv(m, buf_str(&b), e)) < 0 ||
	    (r = make_pipe(to, e)) < 0 || (r = make_pipe(from, e)) < 0 ||
	    (r = remote_look_start(&look, from[0], to[1], e)) < 0 ||
	    (r = remote_says_start(&m->heard, m->log[0], "ssh", true, e)) <
	    0 || (r = start_ssh(m, to[0], from[1], e)) < 0)
		goto out;
	close_fd(&to[0]);
	close_fd(&to[1]);
	close_fd(&from[0]);
	close_fd(&from[1]);
	r = remote_look_end(&look, &m->look, e);
	if (r < 0)
		proc_kill(&m->ssh);
	/* All was said: the other side cannot keep us by not hanging up. */
	m->ssh.deadline = remote_deadline(LOOK_SECONDS);
	(void)proc_wait(&m->ssh, &status);
	close_fd(&m->log[1]);
	remote_says_end(&m->heard, m->t.host_key);
out:
	close_fd(&to[0]);
	close_fd(&to[1]);
	close_fd(&from[0]);
	close_fd(&from[1]);
	buf_release(&b);
	return r;
}

/* --- the collection ------------------------------------------------------- */

int
remote_run(struct remote *m, const char *const *args, struct err *e)
{
	int r;

	buf_clear(&m->command);
	remote_way_command(m, &m->command);
	for (size_t i = 0; args[i] != NULL; i++) {
		buf_putc(&m->command, ' ');
		remote_quote(&m->command, args[i]);
	}
	if (buf_failed(&m->command) != 0)
		return err_set(e, ERR_LIMIT, "the command is too long");
	if ((r = make_argv(m, buf_str(&m->command), e)) < 0 ||
	    (r = start_ssh(m, m->program, m->body[1], e)) < 0)
		return r;
	/* Now it alone can write there, so that its end is seen. */
	close_fd(&m->body[1]);
	close_fd(&m->err[1]);
	m->t.argv = m->argv;
	return 0;
}

/* The body has ended well: so must ssh and the program over there. */
static int
ended(void *ctx, struct transport *t, struct err *e)
{
	struct remote *m = ctx;
	char ignored[REMOTE_KEY];
	enum proc_end end;
	int status;

	m->ssh.deadline = remote_deadline(END_SECONDS);
	end = proc_wait(&m->ssh, &status);
	if (end == PROC_DEADLINE)
		return err_set(e, ERR_CHILD, "ssh did not end within %d "
		    "seconds behind the end of what came", END_SECONDS);
	if (end != PROC_EXITED)
		return err_set(e, ERR_CHILD, "ssh was ended by signal %d",
		    status);
	close_fd(&m->log[1]);
	remote_says_end(&m->heard, t->host_key);
	remote_says_end(&m->says, ignored);
	t->has_status = true;
	t->status = status;
	/* 2: there is something that could not be read; the record says it. */
	return status == 0 || status == 2 ? 0 : err_set(e, ERR_CHILD,
	    "the collector on '%.64s' ended with %d", t->from, status);
}

struct receive *
remote_receive(struct remote *m)
{
	return &m->receive;
}

/* --- start and end -------------------------------------------------------- */

static int
check_host(const char *host, struct err *e)
{
	size_t n = strlen(host);

	if (n == 0 || n > 255 || host[0] == '-')
		return err_set(e, ERR_ARG, "--ssh wants [USER@]HOST");
	for (size_t i = 0; i < n; i++)
		if (host[i] <= ' ' || host[i] == 0x7f)
			return err_set(e, ERR_ARG,
			    "--ssh wants [USER@]HOST, without blanks");
	return 0;
}

static int
start_readers(struct remote *m, struct err *e)
{
	struct body_job j;
	int r;

	if ((r = digest_start(e)) < 0 || (r = make_pipe(m->err, e)) < 0 ||
	    (r = make_pipe(m->body, e)) < 0 ||
	    (r = make_pipe(m->feed, e)) < 0 ||
	    (r = remote_says_start(&m->says, m->err[0], m->p.host, false,
	    e)) < 0 ||
	    (r = pump_start(&m->pump, m->body[0], m->feed[1], e)) < 0)
		return r;
	j.fd = m->feed[0];
	if ((r = proc_spawn(&m->worker, body_worker, &j, &j.fd, 1, 0, e)) < 0)
		return r;
	close_fd(&m->err[0]);
	close_fd(&m->body[0]);
	close_fd(&m->feed[0]);
	close_fd(&m->feed[1]);
	return 0;
}

static struct remote *
remote_alloc(const struct remote_params *p)
{
	struct remote *m = calloc(1, sizeof(*m));

	if (m == NULL || (m->argv = calloc(ARGV_MAX,
	    sizeof(*m->argv))) == NULL) {
		free(m);
		return NULL;
	}
	m->p = *p;
	m->err[0] = m->err[1] = m->body[0] = m->body[1] = -1;
	m->feed[0] = m->feed[1] = m->log[0] = m->log[1] = m->program = -1;
	m->says.fd = m->heard.fd = m->pump.fd = m->worker.fd = -1;
	m->ssh.fd = -1;
	m->t = (struct transport){.kind = "ssh", .from = p->host};
	m->receive = (struct receive){&m->worker, &m->pump, &m->t, ended, m};
	buf_init(&m->command, 256 * KIB);
	return m;
}

int
remote_new(const struct remote_params *p, struct remote **ret, struct err *e)
{
	struct remote *m;
	int r;

	if ((r = check_host(p->host, e)) < 0)
		return r;
	if ((m = remote_alloc(p)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	if ((r = start_readers(m, e)) < 0 ||
	    (r = make_pipe(m->log, e)) < 0 || (r = have_look(m, e)) < 0)
		goto out;
	close_fd(&m->log[0]);
	m->t.has_clock = m->look.has_clock;
	m->t.clock_offset_ns = m->look.offset_ns;
	m->t.clock_error_ns = m->look.error_ns;
	if ((r = remote_way_choose(m, e)) < 0 ||
	    (r = make_pipe(m->log, e)) < 0 ||
	    (r = remote_says_start(&m->heard, m->log[0], "ssh", true, e)) < 0)
		goto out;
	close_fd(&m->log[0]);
	*ret = m;
	m = NULL;
	r = 0;
out:
	remote_free(m);
	return r;
}

static void
end_proc(struct proc *p, bool kill)
{
	int status;

	if (p->pid == 0)
		return;
	if (kill)
		proc_kill(p);
	(void)proc_wait(p, &status);
}

void
remote_free(struct remote *m)
{
	char ignored[REMOTE_KEY];

	if (m == NULL)
		return;
	end_proc(&m->worker, true);
	end_proc(&m->pump, true);
	end_proc(&m->ssh, true);
	close_fd(&m->err[0]);
	close_fd(&m->err[1]);
	close_fd(&m->log[0]);
	close_fd(&m->log[1]);
	/* Nobody can write to them any more: what was said is shown. */
	remote_says_end(&m->says, ignored);
	remote_says_end(&m->heard, ignored);
	close_fd(&m->body[0]);
	close_fd(&m->body[1]);
	close_fd(&m->feed[0]);
	close_fd(&m->feed[1]);
	close_fd(&m->program);
	buf_release(&m->command);
	free(m->argv);
	free(m);
}
