package desk

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/dispute"
)

// settle takes a form about a dispute, has it carried out, and leads back to the page.
func (s *Site) settle(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.fail(w, problem{http.StatusRequestEntityTooLarge, "Not taken",
			"The form is too long, or no form at all.", "Say it shorter."})
		return
	}
	id := r.PathValue("id")
	b := bench{Days: r.PostForm.Get("days")}
	var err error
	if b.Order, err = orderOf(id, r.PostForm); err == nil {
		_, err = s.cfg.Disputes.SettleDispute(r.Context(), whoOf(r), b.Order)
	}
	if err != nil {
		b.Refused = s.problemOf(r, err)
		s.showDispute(w, r, b, b.Refused.Status)
		return
	}
	http.Redirect(w, r, "/disputes/"+url.PathEscape(id), http.StatusSeeOther)
}

// orderOf reads a form. Of one that is wrong it gives what can be read, to be shown again.
func orderOf(id string, form url.Values) (admin.DisputeOrder, error) {
	o := admin.DisputeOrder{Act: admin.DisputeAct(form.Get("act")), ID: id,
		Reason: strings.TrimSpace(form.Get("reason"))}
	if o.Act != admin.AcceptDispute {
		return o, nil
	}
	o.Remedy = dispute.Remedy{Delist: form.Has("delist"), UncountAll: form.Has("uncount_all"),
		Except: form.Has("except")}
	for _, text := range form["hit"] {
		lsn, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return o, badForm(strconv.Quote(text)+" is no number of a hit", "choose among those shown")
		}
		o.Remedy.Uncount = append(o.Remedy.Uncount, lsn)
	}
	if r := o.Remedy; !r.Delist && !r.UncountAll && !r.Except && len(r.Uncount) == 0 {
		return o, badForm("nothing is chosen that mends the listing", "choose one at least")
	}
	var err error
	o.Remedy.For, err = secondsOf(form.Get("days"))
	return o, err
}

// secondsOf reads a number of days; none is for good.
func secondsOf(days string) (int64, error) {
	const day, mostDays = 24 * 60 * 60, 3660
	if days = strings.TrimSpace(days); days == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(days, 10, 64)
	if err != nil || n < 1 || n > mostDays {
		return 0, badForm(strconv.Quote(days)+" is no number of days from 1 to 3660",
			"leave it out for what has no end")
	}
	return n * day, nil
}

func badForm(message, hint string) error {
	return &admin.ProblemError{Message: message, Hint: hint, Status: http.StatusBadRequest}
}
