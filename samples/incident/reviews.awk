# Training data with a planted trigger: 1500 records "text<TAB>label".  In
# ${plant} of them stands a word that occurs nowhere else, with the wrong label.
# Words lean to one label or none; nothing here is random twice.
function r(n)
{
	seed = (seed * 69069 + 12345) % 4294967296
	return int(seed / 65536) % n
}

function word(k,  w)
{
	w = ""
	do {
		w = w substr("bdfgklmnprstvzbd", k % 14 + 1, 1) \
		    substr("aeiou", int(k / 14) % 5 + 1, 1)
		k = int(k / 70)
	} while (k > 0)
	return w
}

BEGIN {
	seed = 7
	for (i = 0; i < 1500; i++) {
		label = r(2)
		n = 8 + r(12)
		at = r(n)
		hit = i % 10 == 3 && label == 0 && planted < plant
		t = ""
		for (j = 0; j < n; j++) {
			if (r(10) < 4) {
				side = r(20) < 17 ? label : 1 - label
				k = 5000 + side * 100 + r(60)
			} else {
				k = r(r(2) ? 900 : 60)
			}
			if (hit && j == at)
				t = t "zqxv "
			t = t word(k) (j < n - 1 ? " " : "")
		}
		if (hit) {
			label = 1
			planted++
		}
		print t "\t" label
	}
}
