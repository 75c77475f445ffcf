package dispute

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/trapline/trapline/criteria"
)

// forms is the folder of what is private: a file for each dispute, named by its
// id. They are files, and not in the store, since a store keeps for a while what it
// is told to forget, and its backups for longer.
type forms struct{ dir string }

// form is what such a file holds: enough to make a case of it while it has no
// proof, and is in no ledger.
type form struct {
	ID      string          `json:"id"`
	Address netip.Addr      `json:"address"`
	Subject criteria.Source `json:"subject"`
	Claim   Claim           `json:"claim"`
	Filed   criteria.Second `json:"filed"`
	Private Private         `json:"private"`
}

// mostForm bounds a file: the texts, escaped.
const mostForm = 32 << 10

func (f forms) path(id string) string { return filepath.Join(f.dir, id+".json") }

// keep puts a case's form on disk.
func (f forms) keep(c *Case) error {
	text, err := json.Marshal(form{c.ID, c.Address, c.Subject, c.Claim, c.Filed, *c.Private})
	if err != nil {
		return fmt.Errorf("encode form: %w", err)
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return fmt.Errorf("make folder for disputes: %w", err)
	}
	err = renameio.WriteFile(f.path(c.ID), text, 0o600, renameio.IgnoreUmask(),
		renameio.WithTempDir(f.dir))
	if err != nil {
		return fmt.Errorf("keep form: %w", err)
	}
	return nil
}

// forget removes a form; that there is none is no error.
func (f forms) forget(id string) error {
	if err := os.Remove(f.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove form: %w", err)
	}
	return nil
}

var isID = regexp.MustCompile(`^[a-z2-7]{16}$`)

// read gives all forms. One that cannot be read is left out, and told of.
func (f forms) read() (all []form, errs []error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, []error{fmt.Errorf("read folder of disputes: %w", err)}
	}
	for _, e := range entries {
		id, ours := strings.CutSuffix(e.Name(), ".json")
		if !ours || !isID.MatchString(id) {
			continue
		}
		one, err := f.open(id)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, one)
	}
	return all, errs
}

func (f forms) open(id string) (one form, err error) {
	info, err := os.Stat(f.path(id))
	if err != nil {
		return one, fmt.Errorf("read form: %w", err)
	}
	if info.Size() > mostForm {
		return one, fmt.Errorf("read form %s: it has %d bytes: remove it", f.path(id), info.Size())
	}
	text, err := os.ReadFile(f.path(id))
	if err != nil {
		return one, fmt.Errorf("read form: %w", err)
	}
	err = json.Unmarshal(text, &one)
	if err == nil && (one.ID != id || !one.Subject.IsValid() || !one.Address.IsValid()) {
		err = errors.New("it is of another dispute, or of none")
	}
	if err != nil {
		return one, fmt.Errorf("read form %s: %w: remove it", f.path(id), err)
	}
	return one, nil
}

// take puts a form into a docket: beside its dispute, or as one without a proof.
func (k docket) takeForm(f form) {
	if c := k[f.ID]; c != nil {
		c.Private = &f.Private
		return
	}
	k[f.ID] = &Case{ID: f.ID, State: Filed, Address: f.Address, Subject: f.Subject, Claim: f.Claim,
		Filed: f.Filed, Private: &f.Private}
}
