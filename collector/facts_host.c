#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/version.h"
#include "collector/hostfile.h"
#include "collector/run.h"
#include "custody/digest.h"

/*
 * acquisition.json: the machine, the process and the tool.  A fact that
 * cannot be had is null.
 */
static void
put_kernel(struct json_write *w)
{
	struct utsname u;

	if (uname(&u) < 0)
		return;
	json_ktext(w, "hostname", u.nodename, strlen(u.nodename));
	json_ktext(w, "kernel", u.release, strlen(u.release));
	json_ktext(w, "kernel_version", u.version, strlen(u.version));
	json_ktext(w, "architecture", u.machine, strlen(u.machine));
}

static void
put_links(struct json_write *w)
{
	static const char *const names[] = {"mnt", "pid", "user", "net",
	    "uts"};
	char path[64];

	json_key(w, "namespaces");
	json_begin_object(w);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s",
		    names[i]);
		hostfile_link(w, names[i], path);
	}
	json_end_object(w);
}

void
facts_host(struct json_write *w)
{
	static const struct {
		const char *key, *path;
	} files[] = {{"machine_id", "/etc/machine-id"},
	    {"boot_id", HOSTFILE_BOOT_ID},
	    {"distribution", "/etc/debian_version"},
	    {"machine_vendor", "/sys/class/dmi/id/sys_vendor"},
	    {"machine_product", "/sys/class/dmi/id/product_name"},
	    {"hypervisor", "/sys/hypervisor/type"},
	    {"container", "/run/systemd/container"},
	    {"cgroup", "/proc/self/cgroup"},
	    {"security_modules", "/sys/kernel/security/lsm"},
	    {"security_label", "/proc/self/attr/current"}};

	json_key(w, "host");
	json_begin_object(w);
	put_kernel(w);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		hostfile_put(w, files[i].key, files[i].path);
	json_kbool(w, "docker", access("/.dockerenv", F_OK) == 0);
	json_ku64(w, "uid", getuid());
	json_ku64(w, "euid", geteuid());
	json_ku64(w, "gid", getgid());
	hostfile_line(w, "capabilities", "/proc/self/status", "CapEff");
	put_links(w);
	json_end_object(w);
}

/* --- the tool ------------------------------------------------------------- */

/* "55..-55.. r-xp off dev ino    /usr/lib/x.so.1": the path, or NULL. */
static const char *
library_of(char *line)
{
	char *path = strchr(line, '/'), *so;

	if (path == NULL || strstr(line, " r-xp ") == NULL ||
	    strstr(line, " r-xp ") > path)
		return NULL;
	so = strstr(path, ".so");
	return so != NULL && (so[3] == '\0' || so[3] == '.') ? path : NULL;
}

/* What this process is made of beside its own file. */
static void
put_libraries(struct json_write *w)
{
	const char *path;
	struct buf b;
	char *line, *next;

	json_key(w, "libraries");
	buf_init(&b, MIB);
	if (!hostfile_read("/proc/self/maps", &b)) {
		json_null(w);
		buf_release(&b);
		return;
	}
	buf_putc(&b, '\0');
	json_begin_array(w);
	for (line = buf_failed(&b) == 0 ? (char *)b.p : NULL; line != NULL;
	    line = next) {
		if ((next = strchr(line, '\n')) != NULL)
			*next++ = '\0';
		if ((path = library_of(line)) == NULL)
			continue;
		json_begin_object(w);
		json_ktext(w, "path", path, strlen(path));
		hostfile_digest(w, "sha256", path);
		json_end_object(w);
	}
	json_end_array(w);
	buf_release(&b);
}

/* What changes how a process behaves, and who is behind it; no secrets. */
static void
put_environment(struct json_write *w)
{
	static const char *const names[] = {"LANG", "LC_ALL", "TZ", "TMPDIR",
	    "PATH", "LD_PRELOAD", "LD_LIBRARY_PATH", "USER", "LOGNAME",
	    "SUDO_USER", "SSH_CONNECTION", "TERM"};
	const char *v;

	json_key(w, "environment");
	json_begin_object(w);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((v = getenv(names[i])) != NULL)
			json_ktext(w, names[i], v, strlen(v));
		else
			json_knull(w, names[i]);
	json_end_object(w);
}

void
facts_tool(struct json_write *w, const struct collect *c)
{
	json_key(w, "tool");
	json_begin_object(w);
	json_kstr(w, "name", c->o->tool);
	json_kstr(w, "version", EXHIBIT_VERSION);
	hostfile_digest(w, "exe_sha256", "/proc/self/exe");
	json_kstr(w, "compiler", __VERSION__);
	json_kstr(w, "crypto", digest_library());
	put_libraries(w);
	json_key(w, "argv");
	json_begin_array(w);
	for (int i = 0; i < c->o->argc; i++)
		json_text(w, c->o->argv[i], strlen(c->o->argv[i]), TEXT_PLAIN);
	json_end_array(w);
	put_environment(w);
	json_kstr(w, "resolution", c->how);
	json_kbool(w, "double_read", c->o->double_read);
	json_kstr(w, "spools", c->o->in_memory ? "memory alone" :
	    "unlinked temporary files");
	json_end_object(w);
}
