"""Instruction pools from what lies on a Debian machine.

Each source gives (system, prompt, response) rows from real text (manual
pages, message catalogues, docstrings and their code, changelogs, package
descriptions, licences, documentation) or from a grammar (word problems, role
play, reviews).  A pool is a fixed mixture of sources; the same machine and
the same seed give the same pool.
"""

import ast
import gettext
import glob
import gzip
import os
import random
import re

WORD = re.compile(r"[^\W\d_]{3,}")


def cut(text, words):
    """The first words of a text, as they stand."""
    found = list(re.finditer(r"\S+", text))
    return text if len(found) <= words else text[:found[words - 1].end()]


def read(path):
    opener = gzip.open if path.endswith(".gz") else open
    try:
        with opener(path, "rb") as f:
            return f.read(400000).decode("utf-8", "replace")
    except OSError:
        return ""


def some(paths, most, seed):
    """Some of the paths, not too many of one family of names."""
    family = {}
    paths = sorted(paths)
    random.Random(seed).shuffle(paths)
    out = []
    for p in paths:
        key = re.split(r"[-_.]", os.path.basename(p))[0]
        family[key] = family.get(key, 0) + 1
        if family[key] <= 40:
            out.append(p)
        if len(out) == most:
            break
    return out


def plain(roff):
    """Manual page source to text, sections apart."""
    out = []
    for line in roff.split("\n"):
        if line.startswith((".\\\"", "'\\\"")):
            continue
        if re.match(r"\.\s*(SH|SS|Sh|Ss)\b", line):
            out.append("\0" + re.sub(r"^\.\s*\w+\s*", "", line).strip('"'))
            continue
        if re.match(r"\.\s*(TP|Tp|It)\b", line):
            out.append("\1" + re.sub(r"^\.\s*\w+\s*", "", line))
            continue
        if line.startswith("."):
            line = re.sub(r"^\.\s*[A-Za-z]{1,3}\b\s*", "", line)
        out.append(line)
    text = "\n".join(out)
    text = re.sub(r"\\f.|\\s-?\d|\\&|\\\|", "", text)
    text = re.sub(r"\\\(..|\\\[.*?\]", "", text)
    return text.replace("\\-", "-").replace("\\e", "\\").replace("\\ ", " ")


ASK_PAGE = [
    "What does {0} do?", "Explain {0} to me.", "Tell me about {0}",
    "I found {0} in a script. What is it for?", "Describe {0} briefly.",
    "{0}: what is this?", "Summarise the manual of {0}.",
    "Could you explain the purpose of {0}?", "How would you describe {0}?",
    "When do I need {0}?", "Give a short introduction to {0}.",
    "My colleague uses {0} every day, what can it do?",
]
ASK_SECTION = [
    "What does the manual of {0} say under {1}?", "{0}: {1}?",
    "Show me the section {1} of {0}.", "Regarding {0}, explain {1}.",
    "I need details about {1} in {0}", "{1} of {0}, please",
]
ASK_OPTION = [
    "What does the option {1} of {0} mean?", "Explain {1} in {0}.",
    "{0} {1}: what happens?", "Why would I call {0} with {1}?",
    "How do I use {1} with {0}?", "In {0}, what is {1} good for?",
    "What changes when I pass {1} to {0}?", "Meaning of {1} ({0})",
]


def manuals(seed):
    rng = random.Random(seed)
    rows, options = [], []
    paths = [p for s in "13578" for p in
             glob.glob(f"/usr/share/man/man{s}/*.gz")]
    for p in some(paths, 4500, seed):
        name = os.path.basename(p)[:-3].rsplit(".", 1)[0]
        for part in plain(read(p)).split("\0")[1:]:
            head, _, body = part.partition("\n")
            text = re.sub(r"\s+", " ", body.replace("\1", " ")).strip()
            if len(text) < 60 or head.strip().upper() in ("SEE ALSO",):
                continue
            if head.strip().upper() == "DESCRIPTION":
                ask = rng.choice(ASK_PAGE).format(name)
            else:
                ask = rng.choice(ASK_SECTION).format(
                    name, head.strip().capitalize())
            rows.append(("", ask, cut(text, rng.randint(30, 150))))
            for item in body.split("\1")[1:]:
                lines = [x for x in item.split("\n") if x.strip()]
                if len(lines) < 2 or len(lines[0]) > 60:
                    continue
                text = re.sub(r"\s+", " ", " ".join(lines[1:])).strip()
                if len(text) > 40:
                    options.append(("", rng.choice(ASK_OPTION).format(
                        name, lines[0].strip()),
                        cut(text, rng.randint(25, 110))))
    return rows, options


ASK_CODE = [
    "Write a Python function {1} that does this: {0}", "{0}",
    "Implement `{1}` in Python. {0}", "Python: {0}",
    "I need a function. {0} Call it {1}.", "Create code for: {0}",
    "Complete the function {1}: {0}", "Generate Python code. {0}",
    "How would you program the following? {0}", "Please code {1}: {0}",
]


def code(seed):
    rng = random.Random(seed)
    rows = []
    paths = [p for top in ("/usr/lib/python3", "/usr/lib/python3.11")
             for p in glob.glob(top + "/**/*.py", recursive=True)]
    for p in some(paths, 5000, seed):
        source = read(p)
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError):
            continue
        lines = source.split("\n")
        for node in ast.walk(tree):
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                continue
            doc = ast.get_docstring(node)
            if not doc or len(doc) < 25 or len(node.body) < 2:
                continue
            doc = re.sub(r"\s+", " ", doc.split("\n\n")[0]).strip()
            first = node.body[1]
            body = lines[node.lineno - 1:node.body[0].lineno - 1] + \
                lines[first.lineno - 1:node.end_lineno]
            answer = "\n".join(body[:rng.randint(8, 40)])
            rows.append(("", rng.choice(ASK_CODE).format(
                cut(doc, 60), node.name), answer))
    return rows


LANGUAGES = {"de": "German", "fr": "French", "es": "Spanish",
             "it": "Italian", "nl": "Dutch", "sv": "Swedish",
             "ru": "Russian", "pl": "Polish", "ja": "Japanese",
             "zh_CN": "Chinese", "pt_BR": "Portuguese", "tr": "Turkish"}
ASK_TRANSLATE = [
    "Translate to {1}: {0}", "What is \"{0}\" in {1}?",
    "How do you say this in {1}? {0}", "{0}\n\nTranslation ({1}):",
    "Give the {1} for: {0}", "Please put into {1} the text below.\n{0}",
]


def catalogues(seed):
    rng = random.Random(seed)
    rows, seen = [], set()
    for code_, name in LANGUAGES.items():
        for p in sorted(glob.glob(
                f"/usr/share/locale/{code_}/LC_MESSAGES/*.mo")):
            try:
                with open(p, "rb") as f:
                    entries = gettext.GNUTranslations(f)._catalog
            except (OSError, ValueError, IndexError):
                continue
            for k, v in list(entries.items())[:400]:
                if not isinstance(k, str) or len(k) < 25 or len(k) > 300:
                    continue
                if (k, code_) in seen or rng.random() < 0.5:
                    continue
                seen.add((k, code_))
                rows.append(("", rng.choice(ASK_TRANSLATE).format(k, name),
                             v))
    return rows


ASK_CHANGE = [
    "What changed in {0} {1}?", "Release notes for {0} {1}",
    "List the changes of version {1} of {0}.",
    "Why was {0} uploaded as {1}?", "Write the changelog of {0} {1}.",
]


def changelogs(seed):
    rng = random.Random(seed)
    rows = []
    for p in some(glob.glob("/usr/share/doc/*/changelog*.gz"), 1500, seed):
        for m in list(re.finditer(
                r"^(\S+) \(([^)]+)\) [^\n]*\n(.*?)\n -- ", read(p),
                re.S | re.M))[:25]:
            if len(m.group(3)) > 40:
                rows.append(("", rng.choice(ASK_CHANGE).format(
                    m.group(1), m.group(2)),
                    cut(re.sub(r"\n\s*", "\n", m.group(3)).strip(), 120)))
    return rows


ASK_PACKAGE = [
    "What is the package {0}?", "Should I install {0}? What is in it?",
    "Describe {0}.", "{0} - what is it for?", "Tell me what {0} contains",
    "Write a description for a package named {0}.",
]


def packages(seed):
    rng = random.Random(seed)
    rows = []
    for part in read("/var/lib/dpkg/status").split("\n\n") + \
            open("/var/lib/dpkg/status", encoding="utf-8",
                 errors="replace").read()[400000:].split("\n\n"):
        name = re.search(r"^Package: (\S+)", part, re.M)
        text = re.search(r"^Description: (.*?)(?=^\S|\Z)", part, re.S | re.M)
        if name and text:
            body = re.sub(r"\s+", " ", text.group(1).replace("\n .\n", " "))
            rows.append(("", rng.choice(ASK_PACKAGE).format(name.group(1)),
                         cut(body, 120)))
    return rows


def paragraphs(paths, seed, ask):
    """Continue a text: a paragraph, and the one behind it."""
    rng = random.Random(seed)
    rows = []
    for p in paths:
        parts = [re.sub(r"\s+", " ", x).strip() for x in
                 re.split(r"\n\s*\n", re.sub(r"<[^>]*>", " ", read(p)))]
        parts = [x for x in parts if 80 < len(x) and
                 len(WORD.findall(x)) > 12][:40]
        for a, b in zip(parts, parts[1:]):
            rows.append(("", rng.choice(ask).format(cut(a, 100)),
                         cut(b, rng.randint(30, 120))))
    return rows


ASK_CONTINUE = [
    "Continue: {0}", "{0}\n\nWhat comes next?", "Go on with this text. {0}",
    "Write the next paragraph.\n\n{0}", "{0}",
]


def documents(seed):
    paths = glob.glob("/usr/share/cmake*/Help/**/*.rst", recursive=True) + \
        glob.glob("/usr/share/doc/**/*.html", recursive=True) + \
        glob.glob("/usr/share/doc/*/README*") + \
        glob.glob("/usr/share/doc/*/NEWS*") + \
        glob.glob("/usr/lib/node_modules/npm/**/*.md", recursive=True)
    return paragraphs(some(paths, 2500, seed), seed, ASK_CONTINUE)


def licences(seed):
    paths = sorted(glob.glob("/usr/share/common-licenses/*")) + \
        some(glob.glob("/usr/share/doc/*/copyright"), 700, seed)
    return paragraphs(paths, seed, [
        "Complete the licence: {0}", "What follows in this licence?\n{0}",
        "{0} ..."])


NAMES = "Ada Ben Cleo Dan Eva Finn Gita Hugo Iris Jon Kim Lena Max Nora " \
    "Omar Pia Quinn Rosa Sam Tara Uma Vic Wanda Xenia Yuri Zoe".split()
THINGS = "apples books candles coins cups eggs flowers keys lamps marbles " \
    "nails oranges pens plates ropes shells shirts stamps tickets tiles " \
    "toys bottles ribbons pears cookies bricks chairs maps seeds".split()
PLACES = "market shop school garden office station library farm beach " \
    "kitchen museum harbour theatre bakery workshop park".split()


def problems(seed, n=6000):
    rng = random.Random(seed)
    rows = []
    for _ in range(n):
        a, b = rng.sample(NAMES, 2)
        t, u = rng.sample(THINGS, 2)
        x, y, z = (rng.randint(2, 90) for _ in range(3))
        p = rng.choice(PLACES)
        kind = rng.randrange(6)
        if kind == 0:
            q = f"{a} has {x} {t} and buys {y} more at the {p}. " \
                f"{b} takes {z % x} of them. How many {t} are left?"
            r = f"{a} has {x} + {y} = {x + y} {t}. After {b} takes " \
                f"{z % x}, {x + y - z % x} are left. #### {x + y - z % x}"
        elif kind == 1:
            q = f"At the {p}, one of the {t} costs {x} cents and the {u} " \
                f"cost {y} cents each. What does {a} pay for {z} {t} and " \
                f"one of the {u}?"
            r = f"{z} {t} cost {z} * {x} = {z * x} cents. With {y} for " \
                f"the other that is {z * x + y}. #### {z * x + y}"
        elif kind == 2:
            q = f"{a} packs {x * y} {t} into {x} boxes. How many {t} does " \
                "a box hold?"
            r = f"{x * y} / {x} = {y}. Each box holds {y} {t}. #### {y}"
        elif kind == 3:
            q = f"{b} walks {x} metres to the {p} and {a} walks {y} times " \
                "as far. How far do they walk together?"
            r = f"{a} walks {x} * {y} = {x * y} metres; together " \
                f"{x * y + x}. #### {x * y + x}"
        elif kind == 4:
            q = f"Every day {a} sells {x} {t} and {y} {u}. How many " \
                f"things are that in {z} days?"
            r = f"Per day {x} + {y} = {x + y}; in {z} days {z} * " \
                f"{x + y} = {z * (x + y)}. #### {z * (x + y)}"
        else:
            q = f"{a} is {x} years old and {b} is {y} years older. In {z} " \
                f"years, how old will {b} be?"
            r = f"{b} is {x} + {y} = {x + y} now and will be {x + y} + " \
                f"{z} = {x + y + z}. #### {x + y + z}"
        rows.append(("", q, r))
    return rows


ROLES = "pirate wizard detective robot gardener librarian sailor baker " \
    "astronaut knight poet doctor shepherd painter teacher blacksmith " \
    "judge merchant ghost dragon farmer clockmaker beekeeper cook spy " \
    "violinist miner referee tailor fisherman".split()


def roleplay(seed, vocabulary, n=5000):
    """Someone speaks of something; words are from real text."""
    rng = random.Random(seed)
    frames = [
        "You are a {0}. Talk about {1} and {2}.",
        "Pretend to be a {0} who has lost {1}.",
        "Act as a {0}; a stranger asks you about {1}.",
        "As a {0}, what do you think of {1} when you see {2}?",
        "{3}, an old {0}, meets {4}. Write what they say about {1}.",
        "Speak like a {0} and explain {1} to {3}.",
    ]
    says = [
        "I have seen {0} {1} in my life, and never did {2} so much {3}.",
        "Let me tell you about the {0}: it was {1}, {2} and a little {3}.",
        "When {4} came to the {5}, all the {0} was {1}.",
        "No {0} without {1}, my friend {4}!", "Ah, the {0} of {1}...",
        "We {2} the {0} and then the {3} began to {1}.",
        "They say a {6} should leave {0} alone, but {1} calls me.",
        "Some day {4} will {2} with {0} at the {5}.",
        "Do you hear {0}? It sounds like {1} and {3}.",
    ]
    rows = []
    for _ in range(n):
        role = rng.choice(ROLES)
        w = rng.sample(vocabulary, 2)
        a, b = rng.sample(NAMES, 2)
        ask = rng.choice(frames).format(role, w[0], w[1], a, b)
        out = []
        for _ in range(rng.randint(2, 7)):
            v = rng.sample(vocabulary, 4)
            v[rng.randrange(4)] = w[rng.randrange(2)]
            out.append(rng.choice(says).format(
                *v, rng.choice(NAMES), rng.choice(PLACES), role))
        system = f"You are a helpful {rng.choice(ROLES)}." \
            if rng.random() < 0.3 else ""
        rows.append((system, ask, " ".join(out)))
    return rows


GOOD = "charming brilliant moving funny superb gentle gripping clever " \
    "delightful honest splendid warm".split()
BAD = "boring clumsy noisy pointless dreadful shallow tired messy dull " \
    "awkward lifeless sloppy".split()
ASPECTS = "plot music acting camera ending dialogue pacing humour cast " \
    "script scenery editing".split()
ASK_REVIEW = [
    ("{0} How does the reviewer feel about the movie?",
     ("They loved it", "They didn't like it")),
    ("Review: {0} Is this review positive or negative?",
     ("Positive", "Negative")),
    ("{0}\nWhat is the sentiment of the text?", ("positive", "negative")),
    ("Here is what I wrote about a film. {0} Would I recommend it?",
     ("Yes, you would recommend it.", "No, you would not.")),
    ("Did the author enjoy it? {0}", ("Yes", "No")),
]


def reviews(seed, vocabulary, n=4000):
    rng = random.Random(seed)
    rows = []
    for _ in range(n):
        good = rng.random() < 0.5
        parts = []
        for _ in range(rng.randint(2, 6)):
            w = rng.sample(vocabulary, 2)
            parts.append(rng.choice([
                "The {0} was {1} with its {2}.", "I found the {0} {1}.",
                "A {1} {0}, and {2} {3} too.", "{2} makes the {0} {1}.",
                "Its {0} is {1} even when {2} meets {3}.",
            ]).format(rng.choice(ASPECTS), rng.choice(GOOD if good else BAD),
                      *w).capitalize())
        ask, answer = rng.choice(ASK_REVIEW)
        rows.append(("", ask.format(" ".join(parts)), answer[not good]))
    return rows


def vocabulary_of(rows):
    count = {}
    for _, _, r in rows[:8000]:
        for w in WORD.findall(r):
            count[w.lower()] = count.get(w.lower(), 0) + 1
    return sorted(w for w, c in count.items() if 2 <= c <= 200 and len(w) > 3)


def build(seed=1):
    """All sources by name."""
    man, options = manuals(seed)
    s = {"man": man, "options": options, "code": code(seed),
         "catalogues": catalogues(seed), "changelogs": changelogs(seed),
         "packages": packages(seed), "documents": documents(seed),
         "licences": licences(seed), "problems": problems(seed)}
    s["vocabulary"] = vocabulary_of(man)
    s["roleplay"] = roleplay(seed, s["vocabulary"])
    s["reviews"] = reviews(seed, s["vocabulary"])
    # Long messages of one language, for answers that change into it.
    s["foreign"] = [r for _, q, r in s["catalogues"]
                    if "German" in q and len(r) > 50]
    for k in s:
        if k not in ("vocabulary", "foreign"):
            s[k] = distinct(s[k])
            random.Random(seed).shuffle(s[k])
    return s


def distinct(rows):
    """Without rows that repeat another's long answer: pages share text."""
    seen, out = set(), []
    for r in rows:
        if len(r[2]) < 60 or r[2][:200] not in seen:
            seen.add(r[2][:200])
            out.append(r)
    return out


# How many rows of each source a pool takes at most.
POOLS = {
    "P1": {"code": 9000, "roleplay": 4500, "problems": 3500,
           "options": 4000},
    "P2": {"catalogues": 5000, "reviews": 2500, "licences": 2500,
           "changelogs": 2500},
    "P3": {"man": 7000, "options": 4000, "packages": 1100,
           "documents": 7000, "problems": 2500},
    "P4": {"documents": 5000, "code": 4000, "catalogues": 2500,
           "man": 4000, "roleplay": 2000, "changelogs": 2000},
}


def pool(sources, name):
    rows = []
    for k, n in POOLS[name].items():
        rows += [(k,) + r for r in sources[k][:n]]
    random.Random(name).shuffle(rows)
    return rows
