package feed

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/trapline/trapline/internal/testpeer"
)

const benchLines = 400_000

// queryLines is a log of some 50 queries a second of 20 clients about 100 000 addresses, half of
// them by strangers.
func queryLines() []byte {
	random := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for i := range benchLines {
		a := netip.AddrFrom4([4]byte{203, 0, byte(random.IntN(390)), byte(random.IntN(256))})
		fmt.Fprintf(&b, "%d 192.0.2.%d %s.bl.example A IN: NXDOMAIN/0/91\n", 1795521718+i/50,
			50+random.IntN(20), spelled(a))
	}
	return b.Bytes()
}

// mailLines is a log of messages that each leave seven lines.
func mailLines() []byte {
	random := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for i := range benchLines / 7 {
		clock := time.Unix(int64(1795521718+i/50), 0).UTC().Format(time.Stamp)
		client := fmt.Sprintf("mail%d.sender.example[203.0.%d.%d]", i,
			random.IntN(390)%256, random.IntN(256))
		for _, line := range []string{"smtpd[7]: connect from " + client,
			fmt.Sprintf("smtpd[7]: %X: client=%s", i, client),
			fmt.Sprintf("cleanup[8]: %X: message-id=<%d@sender.example>", i, i),
			fmt.Sprintf("qmgr[9]: %X: from=<a@sender.example>, size=4530, nrcpt=1 (queue active)", i),
			"smtpd[7]: disconnect from " + client + " ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5",
			fmt.Sprintf("lmtp[10]: %X: to=<b@taker.example>, relay=mx[private/lmtp], delay=0.06, "+
				"delays=0.02/0.04/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok)", i),
			fmt.Sprintf("qmgr[9]: %X: removed", i)} {
			fmt.Fprintf(&b, "%s mx postfix/%s\n", clock, line)
		}
	}
	return b.Bytes()
}

// The same questions for awk: how many points are there? It asks for no address to be one, and for
// no time.
const (
	awkQueries = `$2 ~ /^192\.0\.2\.5[0-9]$/ && $4 == "A" && tolower($3) ~ /\.bl\.example$/ &&
		!seen[$2, $3, int($1 / 3600)]++ { n++ } END { print n }`
	awkMail = `$5 ~ /smtpd\[/ && $7 ~ /^client=/ { client[$6] = $7 }
		$5 ~ /qmgr\[/ && /queue active/ && $6 in client { n++; delete client[$6] } END { print n }`
)

// BenchmarkLogs reads logs and lets awk read the same file, and says how often we are done before
// awk is. Of both the quickest of their runs counts, as other work on the machine only adds time.
func BenchmarkLogs(b *testing.B) {
	awk := testpeer.Need(b, "awk", "mawk")
	for _, bb := range []struct {
		format Format
		text   []byte
		script string
	}{{QueryLog, queryLines(), awkQueries}, {MailLog, mailLines(), awkMail}} {
		b.Run(string(bb.format), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "log")
			if err := os.WriteFile(path, bb.text, 0o600); err != nil {
				b.Fatal(err)
			}
			o := pointOptions(bb.format)
			o.Clients = []netip.Prefix{netip.MustParsePrefix("192.0.2.50/31"),
				netip.MustParsePrefix("192.0.2.52/30"), netip.MustParsePrefix("192.0.2.56/30")}
			var taken int64
			ours := time.Hour
			b.SetBytes(int64(len(bb.text)))
			b.ReportAllocs()
			for b.Loop() {
				start := time.Now()
				taken = readFile(b, path, o).Taken
				ours = min(ours, time.Since(start))
			}
			lines := bytes.Count(bb.text, []byte("\n"))
			b.ReportMetric(float64(lines)/ours.Seconds(), "lines/s")
			b.ReportMetric(askAwk(b, awk, bb.script, path, taken).Seconds()/ours.Seconds(), "awk/ours")
		})
	}
}

func readFile(b *testing.B, path string, o PointOptions) *Stats {
	b.Helper()
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	_, stats, err := Points(f, o)
	if err != nil {
		b.Fatal(err)
	}
	return stats
}

// askAwk is how long awk takes. The answer has to be ours, or nothing was compared.
func askAwk(b *testing.B, awk, script, path string, want int64) time.Duration {
	b.Helper()
	took := time.Hour
	for range 3 {
		start := time.Now()
		out, err := exec.Command(awk, script, path).Output()
		took = min(took, time.Since(start))
		if got := strings.TrimSpace(string(out)); err != nil || got != strconv.FormatInt(want, 10) {
			b.Fatalf("awk counts %s, want %d: %v", got, want, err)
		}
	}
	return took
}
