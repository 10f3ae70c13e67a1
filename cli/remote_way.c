#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "cli/cmd.h"
#include "cli/remote_parts.h"

/*
 * How exhibit-collect comes to run over there.  Standard input is the
 * program, and nothing else; what runs afterwards finds it at its end.
 *
 * Where a kernel forbids to run memory (vm.memfd_noexec = 2) the exec fails
 * and the collection ends with a message; another way is not tried behind
 * the person's back: --remote-collect names a program that is there.
 */

/*
 * MFD_CLOEXEC|MFD_EXEC, without the second on kernels before 6.3.  Blocks of
 * Python need line feeds, and csh takes none in a word: so it is a text for
 * exec, where \n is spelled out.
 */
static const char python[] =
    "exec(\"import os,sys\\nn=int(sys.argv[1])\\n"
    "try: f=os.memfd_create(\\\"exhibit-collect\\\",17)\\n"
    "except OSError: f=os.memfd_create(\\\"exhibit-collect\\\",1)\\n"
    "while n>0:\\n"
    " b=os.read(0,min(n,65536))\\n"
    " if not b: sys.exit(\\\"the program did not arrive whole\\\")\\n"
    " n-=len(b)\\n"
    " while b: b=b[os.write(f,b):]\\n"
    "os.execv(\\\"/proc/self/fd/%d\\\"%f,"
    "[\\\"exhibit-collect\\\"]+sys.argv[2:])\")";

/* The number of memfd_create comes first. */
static const char perl[] =
    "$c=shift;$n=shift;$s=\"exhibit-collect\";$f=syscall($c,$s,17);"
    "$f=syscall($c,$s,1) if $f<0;open($o,\">&=\",$f) or die \"memfd: $!\";"
    "binmode STDIN;binmode $o;while($n>0){"
    "$r=sysread(STDIN,$b,$n<65536?$n:65536);"
    "die \"the program did not arrive whole\" unless $r;"
    "for($w=0;$w<$r;){$k=syswrite($o,$b,$r-$w,$w);"
    "die \"memfd: $!\" unless $k;$w+=$k}$n-=$r}"
    "exec {\"/proc/self/fd/$f\"} \"exhibit-collect\",@ARGV;"
    "die \"cannot run it from memory: $!\"";

/* $1 the directory, $2 the size, then the arguments. */
static const char tmpfs[] =
    "umask 077; d=$(mktemp -d \"$1/exhibit.XXXXXX\") || exit 71; n=$2; "
    "shift 2; cat >\"$d/c\"; chmod 700 \"$d/c\"; "
    "s=$(wc -c <\"$d/c\"); exec 9<\"$d/c\"; rm -f \"$d/c\"; rmdir \"$d\"; "
    "if [ \"$s\" -ne \"$n\" ]; then "
    "echo the program did not arrive whole >&2; exit 71; fi; "
    "exec /proc/self/fd/9 \"$@\"";

void
remote_quote(struct buf *b, const char *word)
{
	buf_putc(b, '\'');
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			buf_puts(b, "'\\''");
		else
			buf_putc(b, *word);
	}
	buf_putc(b, '\'');
}

static const struct {
	const char *machine;
	uint16_t elf;
	unsigned memfd;		/* the number of memfd_create */
} machines[] = {
    {"x86_64", EM_X86_64, 319},
    {"aarch64", EM_AARCH64, 279},
    {"riscv64", EM_RISCV, 279},
};

static unsigned
memfd_number(const struct remote *m)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (strcmp(m->look.machine, machines[i].machine) == 0)
			return machines[i].memfd;
	return 0;
}

void
remote_way_command(const struct remote *m, struct buf *b)
{
	unsigned long long size = m->t.program_size;

	switch ((unsigned)m->way) {
	case REMOTE_PYTHON:
		buf_puts(b, "exec python3 -c ");
		remote_quote(b, python);
		buf_printf(b, " %llu", size);
		break;
	case REMOTE_PERL:
		buf_puts(b, "exec perl -e ");
		remote_quote(b, perl);
		buf_printf(b, " %u %llu", memfd_number(m), size);
		break;
	case REMOTE_SHM:
	case REMOTE_RUN:
		buf_puts(b, "exec sh -c ");
		remote_quote(b, tmpfs);
		buf_puts(b, " sh ");
		/* "$(id -u)" is for the shell over there. */
		buf_puts(b, m->way == REMOTE_SHM ? "/dev/shm" :
		    "\"/run/user/`id -u`\"");
		buf_printf(b, " %llu", size);
		break;
	default:
		buf_puts(b, "exec ");
		remote_quote(b, m->p.collect);
	}
}

/* The static program beside our own. */
static int
beside(char *path, size_t cap, struct err *e)
{
	static const char name[] = "exhibit-collect";
	ssize_t n = readlink("/proc/self/exe", path, cap - sizeof(name));
	char *slash;

	if (n < 0)
		return err_sys(e, errno, "cannot find our own program");
	path[n] = '\0';
	if ((slash = strrchr(path, '/')) == NULL)
		return err_set(e, ERR_NOTFOUND,
		    "cannot find our own program");
	memcpy(slash + 1, name, sizeof(name));
	return 0;
}

static int
open_program(struct remote *m, struct err *e)
{
	const char *path = m->p.program;
	char near[LIMIT_PATH];
	Elf64_Ehdr head;
	struct stat st;
	int r;

	if (path == NULL) {
		if ((r = beside(near, sizeof(near), e)) < 0)
			return r;
		path = near;
	}
	if ((m->program = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return err_sys(e, errno, "cannot open '%s'", path);
	if (fstat(m->program, &st) < 0 ||
	    pread(m->program, &head, sizeof(head), 0) !=
	    (ssize_t)sizeof(head) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
		return err_set(e, ERR_ARG, "'%.128s' is no program", path);
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (strcmp(m->look.machine, machines[i].machine) == 0 &&
		    head.e_machine != machines[i].elf)
			return err_set(e, ERR_UNSUPPORTED, "'%.128s' is not "
			    "for that machine (%s): --collect-program",
			    path, m->look.machine);
	if ((r = cmd_file_sha256(path, m->program_sha256, e)) < 0)
		return r;
	m->t.program_sha256 = m->program_sha256;
	m->t.program_size = (uint64_t)st.st_size;
	return 0;
}

int
remote_way_choose(struct remote *m, struct err *e)
{
	static const struct {
		enum remote_has has;
		const char *way;
	} ways[] = {
	    {REMOTE_PYTHON, "sent; run from memory (memfd_create by python3): "
		"no file was made"},
	    {REMOTE_PERL, "sent; run from memory (memfd_create by perl): no "
		"file was made"},
	    {REMOTE_SHM, "sent; run from /dev/shm (tmpfs), its name removed "
		"before: nothing was put on a disk"},
	    {REMOTE_RUN, "sent; run from /run/user/UID (tmpfs), its name "
		"removed before: nothing was put on a disk"},
	};

	if (m->p.collect != NULL) {
		m->t.way = "was there already";
		m->program = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return m->program >= 0 ? 0 :
		    err_sys(e, errno, "cannot open /dev/null");
	}
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if ((m->look.has & ways[i].has) == 0 ||
		    (ways[i].has == REMOTE_PERL && memfd_number(m) == 0))
			continue;
		m->way = ways[i].has;
		m->t.way = ways[i].way;
		return open_program(m, e);
	}
	return err_set(e, ERR_UNSUPPORTED, "'%.64s' has neither python3 nor "
	    "perl nor a tmpfs that lets programs run: nothing is put on a disk "
	    "there; --remote-collect names a program that is there", m->p.host);
}
