package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
)

// owners are those whom processor time can belong to, known by the names of functions. Time belongs
// to the first of them that stands in a stack, from the innermost function outwards; what the kernel
// does for somebody is theirs.
var owners = []struct {
	name     string
	function *regexp.Regexp
}{
	{"sockets: replies", regexp.MustCompile(`/trap\.\(\*socket\)\.Write`)},
	{"sockets: reads", regexp.MustCompile(`/trap\.\(\*socket\)\.Read`)},
	{"sockets: accept and close", regexp.MustCompile(`/trap\.\(\*socket\)\.Close|TCPListener`)},
	{"TLS", regexp.MustCompile(`^crypto/tls`)},
	{"commit: fdatasync", regexp.MustCompile(`bbolt\.fdatasync`)},
	{"commit: bbolt and records", regexp.MustCompile(`/bbolt\.|trapline/store\.`)},
	{"verdict", regexp.MustCompile(`trapline/(criteria|internal/judge)\.`)},
	{"zone", regexp.MustCompile(`trapline/zone\.`)},
	{"source and cause", regexp.MustCompile(`trapline/(parser|internal/intake|internal/address)\.`)},
	{"log and metrics", regexp.MustCompile(`internal/ops\.|/zerolog\.|/prometheus\.`)},
	{"digest", regexp.MustCompile(`sha256`)},
	{"dialogue: ours", regexp.MustCompile(`trapline/trap\.`)},
	{"dialogue: go-smtp", regexp.MustCompile(`/go-smtp\.|^net/textproto`)},
	{"runtime: collector", regexp.MustCompile(`^runtime\.(gcBgMarkWorker|bgsweep|bgscavenge)`)},
	{"runtime: monitor", regexp.MustCompile(`^runtime\.sysmon`)},
	{"runtime: scheduler", regexp.MustCompile(`^runtime\.`)},
	{"the rest", regexp.MustCompile(``)},
}

// allocates tells the functions that get memory, and pay for collecting it.
var allocates = regexp.MustCompile(`^runtime\.(mallocgc|newobject|makeslice|growslice)`)

// printShares prints whom the samples of `perf script -F ip,sym` belong to.
func printShares(file string, w io.Writer) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	count := map[string]int{}
	all, kernel, memory := 0, 0, 0
	for stack, err := range stacks(f) {
		if err != nil {
			return fmt.Errorf("read %s: %w", file, err)
		}
		all++
		count[ownerOf(stack)]++
		kernel += oneIf(slices.Contains(stack, "entry_SYSCALL_64_after_hwframe"))
		memory += oneIf(slices.ContainsFunc(stack, allocates.MatchString))
	}
	names := slices.SortedFunc(maps.Keys(count), func(a, b string) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
	})
	for _, name := range names {
		fmt.Fprintf(w, "%5.1f %%  %s\n", share(count[name], all), name)
	}
	_, err = fmt.Fprintf(w, "of all, in system calls %.1f %%, getting memory %.1f %%\n",
		share(kernel, all), share(memory, all))
	return err
}

func oneIf(is bool) int {
	if is {
		return 1
	}
	return 0
}

func share(n, all int) float64 { return 100 * float64(n) / float64(max(all, 1)) }

func ownerOf(stack []string) string {
	for _, function := range stack {
		for _, owner := range owners[:len(owners)-2] { // the scheduler's is what nobody else's is
			if owner.function.MatchString(function) {
				return owner.name
			}
		}
	}
	rest := owners[len(owners)-2:]
	if slices.ContainsFunc(stack, rest[0].function.MatchString) {
		return rest[0].name
	}
	return rest[1].name
}

// stacks gives each sample's functions, the innermost first. A sample ends at an empty line.
func stacks(r io.Reader) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, 1<<20)
		var stack []string
		for lines.Scan() {
			_, function, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
			switch {
			case function != "":
				stack = append(stack, function)
				continue
			case len(stack) > 0 && !yield(stack, nil):
				return
			}
			stack = nil
		}
		if err := lines.Err(); err != nil {
			yield(nil, err)
		} else if len(stack) > 0 {
			yield(stack, nil)
		}
	}
}
