package house

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/trapline/trapline/internal/testpeer"
)

// inRoot gives a path below the module's root.
func inRoot(t *testing.T, path string) string {
	t.Helper()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(root, path)
}

func glob(t *testing.T, patterns ...string) []string {
	t.Helper()
	var paths []string
	for _, pattern := range patterns {
		found, err := filepath.Glob(inRoot(t, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("find %s: %d files, %v", pattern, len(found), err)
		}
		paths = append(paths, found...)
	}
	return paths
}

func readAll(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestUnits: systemd has nothing to say about the units that we hand out.
func TestUnits(t *testing.T) {
	analyze := testpeer.Need(t, "systemd-analyze", "systemd")
	dir := t.TempDir()
	args := []string{"verify", "--man=no", "--recursive-errors=no"}
	for _, path := range glob(t, "deploy/*/*.service", "deploy/*/*.socket", "deploy/*/*.timer") {
		// It looks for the programs, which need not be here.
		text := regexp.MustCompile(`/usr/bin/(trapline|rsync)`).ReplaceAllString(readAll(t, path), "/bin/true")
		copied := filepath.Join(dir, filepath.Base(path))
		if err := os.WriteFile(copied, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, copied)
	}
	if out, err := exec.Command(analyze, args...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// TestUnitOfTheDaemon: settings whose loss would be noticed late, each with what it would do.
func TestUnitOfTheDaemon(t *testing.T) {
	unit := "\n" + readAll(t, inRoot(t, "deploy/systemd/trapline.service"))
	for _, c := range []struct{ line, without string }{
		{"Type=notify", "an upgrade goes on before mail is taken"},
		{"ExecReload=/usr/bin/trapline reload --config /etc/trapline/trapline.toml",
			"a reload that failed counts as done"},
		{"WatchdogSec=3min", "a daemon that hangs stays"},
		{"Environment=GOTRACEBACK=crash", "a crash has the exit code of a wrong configuration: no restart"},
		{"LimitCORE=0", "traps and mail lie in a core file"},
		{"StateDirectoryMode=0711", "rsync cannot reach the zone"},
		{"UMask=0077", "a new kind of file may be read by others"},
		{"RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
			"our own addresses are unknown, and may be listed"},
	} {
		if !strings.Contains(unit, "\n"+c.line+"\n") {
			t.Errorf("trapline.service lacks %q: %s", c.line, c.without)
		}
	}
	for _, c := range []struct{ key, with string }{
		{"PrivateUsers", "everybody is nobody in the audit"},
		{"ProcSubset", "a listener of ours lets few connections wait"},
	} {
		if strings.Contains(unit, "\n"+c.key+"=") {
			t.Errorf("trapline.service has %s: %s", c.key, c.with)
		}
	}
}

// link is a reference of Markdown, to a file of ours or a heading.
var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestLinks: what documents refer to is there, headings too.
func TestLinks(t *testing.T) {
	for _, path := range glob(t, "*.md", "docs/*.md") {
		for _, m := range link.FindAllStringSubmatch(readAll(t, path), -1) {
			target, heading, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			to := path
			if target != "" {
				to = filepath.Join(filepath.Dir(path), target)
			}
			info, err := os.Stat(to)
			switch {
			case err != nil:
				t.Errorf("%s refers to %s: %v", filepath.Base(path), m[1], err)
			case heading != "" && !info.IsDir() && !hasHeading(readAll(t, to), heading):
				t.Errorf("%s refers to %s: no such heading", filepath.Base(path), m[1])
			}
		}
	}
}

// notInAnchor is what a heading loses when it becomes an anchor.
var notInAnchor = regexp.MustCompile(`[^\p{L}\p{N}\- _]`)

// hasHeading tells whether a document has the heading of an anchor.
func hasHeading(text, anchor string) bool {
	for line := range strings.Lines(text) {
		title, found := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if !found || line[0] != '#' {
			continue
		}
		title = notInAnchor.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
		if strings.ReplaceAll(title, " ", "-") == anchor {
			return true
		}
	}
	return false
}
