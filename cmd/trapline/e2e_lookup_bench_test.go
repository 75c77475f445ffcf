package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/trapline/trapline/internal/testpeer"
)

var lookupVisitors = flag.Int("lookup-visitors", 8, "who ask at the same time in BenchmarkLookups")

// looks are what visitors ask for while mail comes, by turns; without a target they stay away.
var looks = []struct {
	name   string
	target func(*gallery) string
}{
	{"no visitors", nil},
	{"look-up, page", func(g *gallery) string { return g.web + "/ip/" + anyOld() }},
	{"look-up, JSON", func(g *gallery) string { return g.web + "/api/v1/ip/" + anyOld() }},
	{"nginx, a file", func(g *gallery) string { return g.nginx + "/page.html" }},
}

// anyOld is a source of the log.
func anyOld() string { return oldHit(rand.IntN(*latencySources), 0).Source.String() }

// gallery is a daemon with a long log, to which mail and visitors come, and nginx beside it.
type gallery struct {
	*latency
	web, nginx string // where they are asked
	client     *http.Client
}

// BenchmarkLookups tells how many look-ups are answered while mail comes, beside nginx with a
// file of the size of a page, and what of the mail is lost to them.
func BenchmarkLookups(b *testing.B) {
	nginx := testpeer.Need(b, "nginx", "nginx-light")
	s := newSite(b, build(b), "")
	fillLog(b, s.path("data"))
	address := fmt.Sprintf("127.0.0.1:%d", testpeer.Port(b))
	s.reconfigure("[web]\naddress = \"\"", fmt.Sprintf(
		"[web]\naddress = %q\nbase_url = \"https://bl.example\"\ntrust_proxy = [\"127.0.0.1/32\"]", address))
	for b.Loop() {
		g := &gallery{latency: &latency{server: s.serve(), crowd: newCrowd("")}, web: "http://" + address,
			client: &http.Client{Timeout: patience,
				Transport: &http.Transport{MaxIdleConnsPerHost: *lookupVisitors}}}
		g.awaitEngine()
		g.hang(nginx)
		g.crowd.server = g.server
		g.crowd.come([]guest{{"steady", *latencyRate / 10, time.Second, g.bringSteadily}})
		g.crowd.pause(2 * time.Second) // all have come by then
		g.report(b, g.receive(b))
		g.crowd.leave()
		if _, odd := g.crowd.total(); odd != nil {
			b.Error(odd)
		}
		g.client.CloseIdleConnections()
		g.kill()
	}
}

// hang puts a page of the site behind nginx as a file.
func (g *gallery) hang(nginx string) {
	g.Helper()
	dir := testpeer.OpenFolder(g)
	body, err := g.ask(g.web + "/ip/" + oldHit(0, 0).Source.String())
	port := testpeer.Port(g)
	g.nginx = fmt.Sprintf("http://127.0.0.1:%d", port)
	config := fmt.Sprintf(`daemon off; worker_processes auto; pid %[1]s/pid; events {}
http { access_log off; client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy;
fastcgi_temp_path %[1]s/fastcgi; uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
server { listen 127.0.0.1:%[2]d; root %[1]s; } }
`, dir, port)
	err = errors.Join(err, os.WriteFile(filepath.Join(dir, "page.html"), body, 0o644),
		os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(config), 0o644))
	if err != nil {
		g.Fatal(err)
	}
	g.Logf("a page of %d bytes", len(body))
	p := testpeer.Start(g, nginx, "-p", dir, "-e", "stderr", "-c", filepath.Join(dir, "nginx.conf"))
	testpeer.Eventually(g, patience, "nginx to answer", func() bool {
		_, err = g.ask(g.nginx + "/page.html")
		return err == nil
	})
	g.Cleanup(func() { p.Stop(g) })
}

// ask gets a page as a visitor from anywhere, whom a proxy names.
func (g *gallery) ask(target string) ([]byte, error) {
	r, err := http.NewRequest(http.MethodGet, target, nil)
	if err != nil {
		return nil, err
	}
	var from [16]byte
	from[0], from[1] = 0x2a, 1
	for i := range 6 {
		from[2+i] = byte(rand.Uint32())
	}
	r.Header.Set("X-Forwarded-For", netip.AddrFrom16(from).String())
	w, err := g.client.Do(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(w.Body)
	if err = errors.Join(err, w.Body.Close()); err == nil && w.StatusCode != http.StatusOK {
		err = fmt.Errorf("get %s: %s", target, w.Status)
	}
	return body, err
}

// turn is what came of visitors and mail while it lasted.
type turn struct {
	visits, mail sample
	lasted       time.Duration
}

// receive lets visitors ask by turns.
func (g *gallery) receive(b *testing.B) []turn {
	b.Helper()
	turns := make([]turn, len(looks))
	for range *latencyRounds {
		for i, look := range looks {
			g.settle()
			g.crowd.latencies()
			ctx, stop := context.WithTimeout(b.Context(), *latencyFor)
			begin := time.Now()
			var visitors sync.WaitGroup
			var mu sync.Mutex // guards turns
			for range *lookupVisitors {
				if look.target != nil {
					visitors.Go(func() { g.visit(ctx, &mu, &turns[i].visits, look.target) })
				}
			}
			<-ctx.Done()
			visitors.Wait()
			stop()
			turns[i].mail.took = append(turns[i].mail.took, g.crowd.latencies()...)
			turns[i].lasted += time.Since(begin)
		}
	}
	return turns
}

// visit asks again and again.
func (g *gallery) visit(
	ctx context.Context, mu *sync.Mutex, all *sample, target func(*gallery) string,
) {
	var took []time.Duration
	for ctx.Err() == nil {
		begin := time.Now()
		if _, err := g.ask(target(g)); err != nil {
			g.Error(err)
			return
		}
		took = append(took, time.Since(begin))
	}
	mu.Lock()
	defer mu.Unlock()
	all.took = append(all.took, took...)
}

// report prints the turns.
func (g *gallery) report(b *testing.B, turns []turn) {
	b.Helper()
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "visitors ask for\tanswers/s\tp50 ms\tp99\tp99.9\tmail/s\tof that without\t250: p50 ms\tp99\t")
	var alone float64
	for i, t := range turns {
		visits, n := quantiles([]sample{t.visits})
		mail, m := quantiles([]sample{t.mail})
		rate := float64(m) / t.lasted.Seconds()
		if i == 0 {
			alone = rate
		}
		fmt.Fprintf(table, "%s\t%.0f\t%.2f\t%.1f\t%.1f\t%.1f\t%.1f %%\t%.2f\t%.1f\t\n", looks[i].name,
			float64(n)/t.lasted.Seconds(), visits[0], visits[1], visits[2], rate, 100*rate/alone, mail[0], mail[1])
		if i == 1 {
			b.ReportMetric(100*rate/alone, "mail-%")
			b.ReportMetric(float64(n)/t.lasted.Seconds(), "look-ups/s")
		}
	}
	_ = table.Flush()
	b.Logf("%d hits of %d sources\n%s", *latencyHits, *latencySources, text.String())
}
