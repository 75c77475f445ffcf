package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "rewrite what the scripts compare with")

// TestMain runs the tests, or, under the name of trapline, the program: scripts call it as typed.
func TestMain(m *testing.M) {
	testscript.Main(leakCheck{m}, map[string]func(){"trapline": scripted})
}

// leakCheck fails a run that passed but left goroutines behind.
type leakCheck struct{ tests testscript.TestingM }

// Run gives the exit code.
func (l leakCheck) Run() int {
	code := l.tests.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// TestScripts runs the command lines of testdata/script. Each begins in a folder with a
// trapline.toml, common.toml unless it brings its own.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: false,
		RequireUniqueNames:  true,
		Setup:               prepareScript,
		Condition:           isRoot,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":      exits,
			"eventually": eventually,
			"complains":  complains,
			"like":       like,
			"fill":       fill,
			"bytes":      writeBytes,
			"mode":       checkMode,
			"daemon":     runDaemon,
			"mail":       sendMail,
			"smtp":       converse,
			"dns":        serveNames,
			"filed":      fileDispute,
		},
	})
}

// isRoot is the condition [root]: nothing is unreadable to root.
func isRoot(name string) (bool, error) {
	if name != "root" {
		return false, fmt.Errorf("no condition is called %q", name)
	}
	return os.Geteuid() == 0, nil
}

func prepareScript(e *testscript.Env) error {
	// The race detector makes each program wait a second at its end, in case a race comes late.
	e.Setenv("GORACE", "atexit_sleep_ms=10")
	now := time.Now().UTC()
	e.Setenv("HOUR_AGO", now.Add(-time.Hour).Format(time.RFC1123Z))
	for _, n := range []int{7, 8, 10} {
		then := now.Add(-time.Duration(n) * time.Hour)
		e.Setenv(fmt.Sprintf("HOURS_AGO_%d", n), then.Format(time.RFC1123Z))
	}
	e.Setenv("NOW", now.Format(time.RFC3339))
	e.Setenv("NOW_UNIX", strconv.FormatInt(now.Unix(), 10))
	for i := range 4 {
		e.Setenv(fmt.Sprintf("DAY%d", i+1), daysAgo(i+1))
	}
	e.Values[daemonKey{}] = new(*scriptDaemon)
	path := filepath.Join(e.WorkDir, "trapline.toml")
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	text, err := os.ReadFile(filepath.Join("testdata", "common.toml"))
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

// exits CODE COMMAND...: the command ends with that code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var ended *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &ended) {
		got = ended.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit %d, want %d", got, want)
	}
	if args[1] == "trapline" && (got == exitDone || got == exitNo) {
		checkDocumented(ts, args[2:])
	}
}

// eventually PATTERN COMMAND...: the command's stdout fits, maybe not at once: 250 says that a hit
// is on disk, and the score follows.
func eventually(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: eventually PATTERN COMMAND...")
	}
	fits := regexp.MustCompile("(?m)" + args[0])
	for start := time.Now(); time.Since(start) < patience; {
		_ = ts.Exec(args[1], args[2:]...) // its output decides
		if fits.MatchString(ts.ReadFile("stdout")) {
			return
		}
	}
	ts.Fatalf("nothing on stdout fits %q", args[0])
}

// complains PATTERN: the program said one line on stderr, it is plain text, and it fits.
func complains(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: complains PATTERN")
	}
	said := ts.ReadFile("stderr")
	line, rest, _ := strings.Cut(said, "\n")
	text, ours := strings.CutPrefix(line, "trapline: ")
	if !ours || rest != "" {
		ts.Fatalf("want one line of trapline on stderr, got %q", said)
	}
	if plain := printable(text); plain != text {
		ts.Fatalf("control characters on stderr: %q", text)
	}
	if !regexp.MustCompile(args[0]).MatchString(text) {
		ts.Fatalf("%q does not fit %q", text, args[0])
	}
}

// placeholders are what like takes for a value that is another one at each run.
var placeholders = strings.NewReplacer(
	"<time>", `"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"`,
	"<int>", `\d+`,
	"<ints>", `\[\d+(,\d+)*\]`,
	"<number>", `\d+(\.\d{1,6})?`,
	"<hex>", `"[0-9a-f]+"`,
	"<word>", `[^"]*`,
	"<prospect>", `\{"score":\d+(\.\d+)?,"listed":(true|false),"until":[^,]+,"why":"[^"]+"\}`,
)

// like FILE PATTERNS: a file, or stdout, is what the patterns file says, line breaks and the blanks
// around them left out there: so a line of JSON can be shown as people read it.
func like(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: like FILE PATTERNS")
	}
	var pattern strings.Builder
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		pattern.WriteString(regexp.QuoteMeta(strings.TrimSpace(line)))
	}
	got := strings.ReplaceAll(ts.ReadFile(args[0]), "\n", "")
	whole := "^" + placeholders.Replace(pattern.String()) + "$"
	if !regexp.MustCompile(whole).MatchString(got) {
		ts.Fatalf("%s is not like %s:\n%s\n%s", args[0], args[1], got, whole)
	}
}

// fill FILE...: puts environment variables into files.
func fill(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o644))
	}
}

// bytes FILE TEXT [COUNT]: writes a Go string literal without its quotes, so often.
func writeBytes(ts *testscript.TestScript, _ bool, args []string) {
	count := 1
	if len(args) == 3 {
		n, err := strconv.Atoi(args[2])
		ts.Check(err)
		count = n
	}
	text := strings.Repeat(unescaped(ts, args[1]), count)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}

// unescaped reads a Go string literal without its quotes.
func unescaped(ts *testscript.TestScript, text string) string {
	value, err := strconv.Unquote(`"` + strings.ReplaceAll(text, `"`, `\"`) + `"`)
	ts.Check(err)
	return value
}

// mode FILE MODE: the file has those permissions.
func checkMode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[1] {
		ts.Fatalf("%s has mode %s, want %s", args[0], got, args[1])
	}
}

// daemonKey finds a script's daemon.
type daemonKey struct{}

// scriptDaemon is a trapline serve. Its goroutine owns what it writes until lines is closed.
type scriptDaemon struct {
	cmd   *exec.Cmd
	lines chan string // of its stderr
	log   string      // those read so far
	rest  []event     // of the start, that may still be awaited
}

// runDaemon is the command daemon: start [ARGS], await EVENT, signal NAME and stop.
func runDaemon(ts *testscript.TestScript, _ bool, args []string) {
	slot := ts.Value(daemonKey{}).(**scriptDaemon)
	switch args[0] {
	case "start":
		*slot = startDaemon(ts, args[1:])
	case "await":
		(*slot).await(ts, args[1])
	case "signal":
		ts.Check((*slot).cmd.Process.Signal(map[string]syscall.Signal{"HUP": syscall.SIGHUP}[args[1]]))
	case "stop":
		(*slot).stop(ts)
	default:
		ts.Fatalf("usage: daemon start|await|signal|stop")
	}
}

// startDaemon starts it and waits until it takes mail, at $MAIL.
func startDaemon(ts *testscript.TestScript, args []string) *scriptDaemon {
	path, err := exec.LookPath("trapline")
	ts.Check(err)
	d := &scriptDaemon{cmd: exec.Command(path, append([]string{"serve"}, args...)...),
		lines: make(chan string, 10_000)} // the daemon must never wait for us
	d.cmd.Dir = ts.MkAbs(".")
	stderr, err := d.cmd.StderrPipe()
	ts.Check(err)
	ts.Check(d.cmd.Start())
	ts.Defer(func() { d.kill() })
	go func() {
		defer close(d.lines)
		for in := bufio.NewScanner(stderr); in.Scan(); {
			d.lines <- in.Text()
		}
	}()
	listeners := d.await(ts, "started").Listeners
	for line := range strings.Lines(d.log) { // these come beside the start, in any order
		var e event
		if json.Unmarshal([]byte(line), &e) == nil {
			d.rest = append(d.rest, e)
		}
	}
	i := slices.IndexFunc(listeners, func(l string) bool { return !strings.HasPrefix(l, "/") })
	ts.Setenv("MAIL", listeners[max(i, 0)])
	return d
}

// await reads the log as far as an event.
func (d *scriptDaemon) await(ts *testscript.TestScript, kind string) event {
	for i, e := range d.rest {
		if e.Event == kind {
			d.rest = d.rest[i+1:]
			return e
		}
	}
	d.rest = nil
	deadline := time.After(patience)
	for {
		select {
		case line, more := <-d.lines:
			d.log += line + "\n"
			var e event
			switch {
			case !more:
				ts.Fatalf("serve ended before %q:\n%s", kind, d.log)
			case json.Unmarshal([]byte(line), &e) == nil && e.Event == kind:
				return e
			}
		case <-deadline:
			ts.Fatalf("no %q in %s:\n%s", kind, patience, d.log)
		}
	}
}

// stop ends it as an operator does, and leaves its log in serve.log.
func (d *scriptDaemon) stop(ts *testscript.TestScript) {
	ts.Check(d.cmd.Process.Signal(syscall.SIGTERM))
	d.await(ts, "stopped")
	for line := range d.lines {
		d.log += line + "\n"
	}
	ts.Check(os.WriteFile(ts.MkAbs("serve.log"), []byte(d.log), 0o644))
	if err := d.cmd.Wait(); err != nil {
		ts.Fatalf("serve: %v\n%s", err, d.log)
	}
}

// kill makes sure that it is gone. Errors say that it is already.
func (d *scriptDaemon) kill() {
	_ = d.cmd.Process.Kill()
	for range d.lines { // until its end is closed
	}
	_ = d.cmd.Wait()
}
