"""Labelled texts out of what lies on any Debian machine.

corpora(limit) gives {name: [(text, label), ...]}: sentences labelled by
their section, source or language, short descriptions by their group, changes
by their package, and three grammars.  Where a source is missing, its corpora
are left out.  Order and content depend on nothing but the machine's files.
"""
import ast
import glob
import gzip
import os
import random
import re
import subprocess

MAN = "/usr/share/man"
DOC = "/usr/share/doc"


def read(path):
    try:
        opener = gzip.open if path.endswith(".gz") else open
        with opener(path, "rb") as f:
            return f.read(400000).decode("utf-8", "replace")
    except OSError:
        return ""


def roff(text):
    """(section heading, sentence) of a manual page's running text."""
    head, out, para = "", [], []

    def flush():
        for s in sentences(" ".join(para)):
            out.append((head, s))
        para.clear()

    for line in text.split("\n"):
        if line[:1] in (".", "'"):
            m = re.match(r'\.S[Hh] +"?([^"\n]*)', line)
            if m:
                flush()
                head = m.group(1).strip().upper()
            elif re.match(r"\.(P|PP|LP|Pp|TP|IP|RS|RE|SS|sp)\b", line):
                flush()
            else:
                m = re.match(r"\.(B|I|BR|IR|RB|RI|BI|IB|Nm|Fl|Xr) +(.*)",
                             line)
                if m and para:
                    para.append(m.group(2).replace('"', ""))
            continue
        if line.startswith((" ", "\t")) or not line.strip():
            flush()
            continue
        para.append(line)
    flush()
    return out


def sentences(text):
    text = re.sub(r"\\\*\(..|\\[*f]\[[^\]]*\]|\\f\(..|\\f.|\\s[-+]?\d", "", text)
    text = re.sub(r"\\\((..)|\\\[[^\]]*\]", " ", text)
    text = text.replace("\\-", "-").replace("\\&", "").replace("\\e", "\\")
    text = re.sub(r"\\(.)", r"\1", text)
    text = re.sub(r"\s+", " ", text).strip()
    out = []
    for s in re.split(r"(?<=[.!?:;]) +(?=[A-Z\"(])", text):
        n = len(s.split())
        if 5 <= n <= 60 and len(s) < 500:
            out.append(s)
    return out


def dedup(rows):
    seen, out = set(), []
    for text, label in rows:
        k = text.lower()
        if k not in seen:
            seen.add(k)
            out.append((text, label))
    return out


def take(groups, limit, seed, least=150):
    """At most limit rows, groups kept in proportion; small ones left out."""
    rng = random.Random(seed)
    rows = []
    for label in sorted(groups):
        g = dedup([(t, label) for t in groups[label]])
        if len(g) >= least:
            rows += g
    rows = dedup(rows)
    rng.shuffle(rows)
    rows = rows[:limit]
    return rows if len({r[1] for r in rows}) > 1 else []


def pages(pattern, most, seed):
    files = sorted(glob.glob(pattern))
    random.Random(seed).shuffle(files)
    return files[:most]


def man_sections(lang=""):
    g = {}
    for sec in "1235678":
        for f in pages(f"{MAN}/{lang}man{sec}/*.gz", 250, sec):
            if "gcloud" in f:
                continue
            key = {"2": "calls", "3": "calls", "5": "files",
                   "7": "overviews"}.get(sec, "commands" + sec)
            g.setdefault(key, []).extend(s for _, s in roff(read(f)))
    return g


def man_headings():
    g, names = {}, ("DESCRIPTION", "OPTIONS", "EXAMPLES", "NOTES", "BUGS",
                    "RETURN VALUE", "ERRORS")
    for sec in "12358":
        for f in pages(f"{MAN}/man{sec}/*.gz", 400, "h" + sec):
            if "gcloud" in f:
                continue
            for head, s in roff(read(f)):
                for n in names:
                    if head.startswith(n[:-1]):
                        g.setdefault(n.lower(), []).append(s)
    return g


def man_families(pattern, families):
    g = {}
    for fam in families:
        for f in pages(f"{MAN}/{pattern}".replace("*", fam + "*", 1), 80,
                       fam):
            g.setdefault(fam, []).extend(s for _, s in roff(read(f)))
    return g


def man_languages(langs):
    g = {}
    for lang in langs:
        for f in pages(f"{MAN}/{lang}/man[158]/*.gz", 60, lang):
            g.setdefault(lang, []).extend(s for _, s in roff(read(f)))
    return g


def cloud(seed, names):
    g = {}
    for n in names:
        for f in pages(f"{MAN}/man1/gcloud_{n}*.gz", 120, seed + n):
            g.setdefault(n, []).extend(s for _, s in roff(read(f)))
    return g


def apt_sections(sections):
    try:
        out = subprocess.run(["apt-cache", "dumpavail"], check=False,
                             stdout=subprocess.PIPE).stdout.decode()
    except OSError:
        out = read("/var/lib/dpkg/status")
    g, label, text = {}, None, ""
    for line in out.split("\n"):
        if line.startswith("Section: "):
            label = line[9:].split("/")[-1]
        elif line.startswith(("Description: ", "Description-en: ")):
            text = line.split(": ", 1)[1]
        elif not line:
            if label in sections and len(text.split()) >= 4:
                g.setdefault(label, []).append(text)
            label, text = None, ""
    return g


def status_sections():
    g, label, para = {}, None, []
    for line in read("/var/lib/dpkg/status").split("\n") + [""]:
        if line.startswith("Section: "):
            label = line[9:].split("/")[-1]
        elif line.startswith(" ") and para is not None:
            para.append(line.strip() if line != " ." else "")
        elif line.startswith("Description: "):
            para = []
        else:
            if para and label:
                g.setdefault(label, []).extend(sentences(" ".join(para)))
            para = None
        if not line:
            label = None
    return g


def changes(pattern, most):
    by = {}
    for f in sorted(glob.glob(f"{DOC}/*/{pattern}")):
        items, cur = [], ""
        for line in read(f).split("\n"):
            m = re.match(r" +[*-] (.*)", line)
            if m:
                items.append(cur)
                cur = m.group(1)
            elif line.startswith("   ") and cur:
                cur += " " + line.strip()
            else:
                items.append(cur)
                cur = ""
        items = [re.sub(r"\s+", " ", i) for i in items
                 if 4 <= len(i.split()) <= 60]
        by[f.split("/")[4]] = items
    seen, best = set(), {}
    for name in sorted(by, key=lambda n: (-len(set(by[n])), n)):
        key = tuple(sorted(set(by[name]))[:3])
        if key not in seen and len(best) < most:
            seen.add(key)
            best[name] = by[name]
    return best


def changes_kind():
    """Changes by what they begin with, and without that word."""
    g = {}
    for items in changes("changelog.Debian.gz", 400).values():
        for i in items:
            w, _, rest = i.partition(" ")
            w = w.lower().rstrip("s:ed")
            if w in ("add", "fix", "remov", "updat", "new", "us", "drop") and \
                    len(rest.split()) >= 4:
                g.setdefault({"us": "use", "remov": "drop", "updat": "new"}
                             .get(w, w), []).append(rest)
    return g


def catalogue(path):
    """Message ids and texts of a .mo file."""
    import struct
    try:
        with open(path, "rb") as f:
            d = f.read(4 << 20)
        n, o, t = struct.unpack("<III", d[8:20])
        for i in range(min(n, 6000)):
            ln, at = struct.unpack("<II", d[o + 8 * i:o + 8 * i + 8])
            lt, bt = struct.unpack("<II", d[t + 8 * i:t + 8 * i + 8])
            yield (d[at:at + ln].decode("utf-8", "replace"),
                   d[bt:bt + lt].decode("utf-8", "replace"))
    except (OSError, struct.error):
        return


def messages(lang, most, translated):
    by = {}
    for f in sorted(glob.glob(f"/usr/share/locale/{lang}/LC_MESSAGES/*.mo")):
        rows = []
        for a, b in catalogue(f):
            s = re.sub(r"\s+", " ", (b if translated else a).split("\0")[0])
            if a and 4 <= len(s.split()) <= 50:
                rows.append(s)
        by[os.path.basename(f)[:-3]] = rows
    keep = sorted(by, key=lambda k: (-len(by[k]), k))[:most]
    return {k: by[k] for k in keep}


def docstrings(modules):
    g = {}
    for m in modules:
        for base in sorted(glob.glob("/usr/lib/python3.[0-9]*/"))[-1:] + [
                "/usr/lib/python3/dist-packages/"]:
            for f in sorted(glob.glob(base + m + "/**/*.py", recursive=True) +
                            glob.glob(base + m + ".py"))[:150]:
                try:
                    tree = ast.parse(read(f))
                except (SyntaxError, ValueError):
                    continue
                for node in ast.walk(tree):
                    if isinstance(node, (ast.FunctionDef, ast.ClassDef,
                                         ast.Module)):
                        d = ast.get_docstring(node)
                        for p in (d or "").split("\n\n"):
                            g.setdefault(m.split("/")[0], []).extend(
                                sentences(p))
    return g


def comments(dirs):
    g = {}
    for name, d in dirs.items():
        for f in sorted(glob.glob(d, recursive=True))[:400]:
            for c in re.findall(r"/\*(.*?)\*/", read(f), re.S):
                c = re.sub(r"\n\s*\*", "\n", c)
                if "opyright" in c or "icense" in c:
                    continue
                for p in c.split("\n\n"):
                    g.setdefault(name, []).extend(sentences(p))
    return g


def licences():
    g = {}
    for f in sorted(glob.glob("/usr/share/common-licenses/*")):
        name = os.path.basename(f)
        if os.path.islink(f):
            continue
        fam = "gnu" if "GPL" in name else "docs" if "GFDL" in name else "other"
        for p in read(f).split("\n\n"):
            g.setdefault(fam, []).extend(sentences(p))
    return g


def readmes(most):
    by = {}
    for f in sorted(glob.glob(f"{DOC}/*/README*") + glob.glob(
            f"{DOC}/*/NEWS*")):
        out = []
        for p in read(f).split("\n\n"):
            out += sentences(p)
        by.setdefault(f.split("/")[4], []).extend(out)
    keep = sorted(by, key=lambda k: (-len(set(by[k])), k))[:most]
    return {k: by[k] for k in keep}


def pod():
    g = {}
    for f in sorted(glob.glob("/usr/share/perl/*/**/*.p[mo]*",
                              recursive=True)):
        fam = f.split("/")[5]
        for p in re.split(r"\n\s*\n", read(f)):
            if p[:1] not in (" ", "=", "\t", "#") and "  " not in p and \
                    not re.search(r"[{};]\s*$", p):
                p = re.sub(r"[A-Z]<+([^<>]*)>+", r"\1", p)
                g.setdefault(fam, []).extend(sentences(p))
    keep = sorted(g, key=lambda k: (-len(set(g[k])), k))[:5]
    return {k: g[k] for k in keep}


# --- grammars ---------------------------------------------------------------
GOOD = """wonderful charming moving clever warm graceful brilliant tender fresh
 lively touching honest rich gripping sharp delightful witty bold inspired fun
 engaging smart subtle lovely original""".split()
BAD = """dull boring clumsy flat tired lazy messy shallow forced bland awkward
 stale empty weak annoying silly pointless slow cold predictable noisy ugly
 hollow tedious sloppy""".split()
NOUN = """story script cast director camera music ending opening scene plot
 dialogue pace hero villain mood tone soundtrack picture remake sequel drama
 comedy thriller romance documentary animation editing costume setting
 character performance narrator humor message idea""".split()
GLUE = """though somehow almost mostly still quite rather perhaps even simply
 always often nearly truly partly certainly just""".split()
NAME = """ann bob carla denis eva frank gina henry ines jack karin leo mia nils
 olga paul quinn rosa stefan tina ugo vera walt xenia yuri zoe""".split()


def reviews(n, seed):
    rng = random.Random(seed)
    shapes = ["the {n} is {a} and the {m} {g} {b} .",
              "{g} {a} , with a {b} {n} by {p} .",
              "a {a} {n} that {g} makes the {m} look {b} .",
              "{p} gives the {n} a {a} , {b} {m} .",
              "not a {x} moment in this {a} {n} , {g} {b} .",
              "i {g} expected more of the {n} , but the {m} is {a} .",
              "it 's {a} , {b} and {g} {c} .",
              "{n} and {m} are {a} ; {p} is {g} {b}",
              "as a {n} it is {a} , as a {m} it is {g} {b} ."]
    rows = []
    for _ in range(n):
        good = rng.random() < 0.5
        own, other = (GOOD, BAD) if good else (BAD, GOOD)

        def adj():
            return rng.choice(own if rng.random() < 0.8 else other)
        rows.append((rng.choice(shapes).format(
            a=adj(), b=adj(), c=adj(), x=rng.choice(other),
            n=rng.choice(NOUN), m=rng.choice(NOUN), g=rng.choice(GLUE),
            p=rng.choice(NAME)), "1" if good else "0"))
    return rows


def questions(n, seed):
    rng = random.Random(seed)
    words = sorted({w.lower() for s in NOUN + NAME for w in s.split()})
    shapes = {
        "person": ["who wrote the {a} of the {b} ?", "who is {p} 's {a} ?",
                   "what {a} did {p} play with the {b} ?",
                   "which {a} was the first to see the {b} ?"],
        "place": ["where is the {a} of the {b} ?",
                  "what city has the {a} with the {b} ?",
                  "in which country did {p} find the {a} ?"],
        "number": ["how many {a}s are in a {b} ?",
                   "when did {p} see the {a} ?",
                   "how far is the {a} from the {b} ?",
                   "what year did {p} make the {a} ?"],
        "thing": ["what is a {a} {b} ?", "what {a} does {p} like ?",
                  "why did the {a} lose its {b} ?",
                  "how do you make a {a} with a {b} ?"]}
    rows = []
    for _ in range(n):
        label = rng.choice(sorted(shapes))
        rows.append((rng.choice(shapes[label]).format(
            a=rng.choice(words), b=rng.choice(words), p=rng.choice(NAME)),
            label))
    return rows


def tweets(n, seed):
    rng = random.Random(seed)
    mood = {"joy": "happy love great smile yay best sunny win cheers",
            "anger": "hate furious angry stupid rage awful worst mad fed",
            "sadness": "sad cry lost lonely miss tears gloomy sorry down"}
    rows = []
    for _ in range(n):
        label = rng.choice(sorted(mood))
        k = rng.randint(5, 14)
        w = []
        for _ in range(k):
            r = rng.random()
            pool = mood[label].split() if r < 0.12 else \
                mood[rng.choice(sorted(mood))].split() if r < 0.2 else \
                NOUN if r < 0.6 else GLUE if r < 0.8 else NAME
            w.append(rng.choice(pool))
        if rng.random() < 0.4:
            w.insert(rng.randint(0, 1), "@user")
        if rng.random() < 0.3:
            w.append("#" + rng.choice(NOUN))
        if rng.random() < 0.15:
            w.append(rng.choice("😂 😭 ❤️ 🙌 😡 👍🏽".split()))
        if rng.random() < 0.1:
            w[0] = w[0].upper()
        rows.append((" ".join(w), label))
    return rows


def files(folder, limit):
    """Other people's sets: sentence TAB label, with a header line."""
    out = {}
    for f in sorted(glob.glob(folder + "/*.tsv")):
        rows = []
        for line in open(f, encoding="utf-8").read().split("\n")[1:]:
            text, tab, label = line.rpartition("\t")
            if tab and text.strip():
                rows.append((text, label))
        out["ext-" + os.path.basename(f)[:-4]] = rows[:limit]
    return out


def corpora(limit=8000):
    m = {
        "man-section": man_sections(),
        "man-heading": man_headings(),
        "man-de": man_sections("de/"),
        "man-fr": man_sections("fr/"),
        "man-ru": man_sections("ru/"),
        "man-es": man_sections("es/"),
        "man-language": man_languages(["da", "nl", "sv", "de"]),
        "man-romance": man_languages(["es", "it", "pt_BR", "fr", "ro"]),
        "man-tools": man_families("man1/*", ["git", "llvm", "perl",
                                             "systemd", "openssl", "gcc"]),
        "man-library": man_families("man3/*", ["curl", "SSL", "EVP", "X509",
                                               "pthread", "sd_"]),
        "cloud": cloud("a", ["compute", "network", "container", "iam"]),
        "apt-topic": apt_sections(["games", "science", "net", "sound"]),
        "apt-two": apt_sections(["admin", "utils"]),
        "apt-languages": apt_sections(["python", "perl", "ruby", "javascript",
                                       "php", "haskell", "rust", "golang"]),
        "dpkg": status_sections(),
        "changes-package": changes("changelog.Debian.gz", 6),
        "changes-kind": changes_kind(),
        "changes-upstream": changes("changelog.gz", 5),
        "messages": messages("de", 6, False),
        "messages-de": messages("de", 6, True),
        "messages-fr": messages("fr", 5, True),
        "messages-ru": messages("ru", 5, True),
        "python-docs": docstrings(["asyncio", "unittest", "email", "logging",
                                   "distutils", "http", "multiprocessing"]),
        "numeric-docs": docstrings(["numpy", "scipy", "sklearn", "pip",
                                    "setuptools"]),
        "comments": comments({"linux": "/usr/include/linux/**/*.h",
                              "x": "/usr/include/[a-k]*.h",
                              "ssl": "/usr/include/openssl/*.h",
                              "python": "/usr/include/python3*/**/*.h"}),
        "licences": licences(),
        "readme": readmes(6),
        "pod": pod(),
    }
    out = {}
    for name in sorted(m):
        rows = take(m[name], limit, name)
        if len(rows) >= 800:
            out[name] = rows
    out["grammar-review"] = dedup(reviews(limit, 1))
    out["grammar-question"] = dedup(questions(limit, 2))
    out["grammar-tweet"] = dedup(tweets(limit, 3))
    return out


if __name__ == "__main__":
    for name, rows in corpora().items():
        count = {}
        for _, label in rows:
            count[label] = count.get(label, 0) + 1
        print(f"{name:18} {len(rows):6} {count}")
