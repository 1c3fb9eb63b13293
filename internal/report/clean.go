package report

import (
	"net/url"
	"strings"
	"time"
	"unicode"
)

// unknown stands for what does not look like what it ought to be.
const unknown = "unknown"

// maxProse bounds a sentence, in bytes: reasons are sentences, not dumps.
const maxProse = 2000

// clean returns the run as it may be shown: codes that are codes, paths that are
// paths, an address that is an origin. The caller's Run is not changed.
func (r *Run) clean() *Run {
	c := *r
	c.Format = Format
	c.ID, c.Scope, c.DataSet = code(r.ID), code(r.Scope), code(r.DataSet)
	c.Outcome = Outcome(code(string(r.Outcome)))
	c.Policy.Name, c.Policy.Hash, c.Policy.Claim = code(r.Policy.Name), code(r.Policy.Hash), code(r.Policy.Claim)
	c.Policy.Extends = code(r.Policy.Extends)
	if c.Policy.Claim == "" {
		c.Policy.Claim = ClaimNone
	}
	c.Policy.Loosened = each(r.Policy.Loosened, func(l *Loosening) { l.Path, l.Method, l.Reason = rulePath(l.Path), code(l.Method), prose(l.Reason) })
	c.FHIRVersion, c.Generation = code(r.FHIRVersion), code(r.Generation)
	c.Engine, c.Level, c.Server = code(r.Engine), code(r.Level), origin(r.Server)
	c.AsOf, c.TransactionTime, c.Started, c.Ended = r.AsOf.UTC(), r.TransactionTime.UTC(), r.Started.UTC(), r.Ended.UTC()
	c.Reasons = each(r.Reasons, func(x *Reason) { x.Code, x.Text = code(x.Code), prose(x.Text) })
	c.Notes = each(r.Notes, func(x *Note) { x.At, x.Code, x.Text = x.At.UTC(), code(x.Code), prose(x.Text) })
	c.Orders = each(r.Orders, func(x *Order) {
		x.Kind, x.At, x.By, x.Reason = code(x.Kind), x.At.UTC(), prose(x.By), prose(x.Reason)
	})
	c.Keys = each(r.Keys, func(x *Key) {
		x.Purpose, x.Name, x.Version, x.ID = code(x.Purpose), code(x.Name), code(x.Version), code(x.ID)
	})
	c.Stages = each(r.Stages, func(x *Stage) { x.Name, x.Entered = code(x.Name), x.Entered.UTC().Truncate(time.Millisecond) })
	c.Types = each(r.Types, func(x *Type) { x.Name = code(x.Name) })
	c.Findings = each(r.Findings, func(x *Finding) {
		x.Severity, x.Class, x.Path = code(x.Severity), code(x.Class), path(x.Path)
	})
	c.Files = each(r.Files, func(x *File) { x.Name, x.Type, x.SHA256 = code(x.Name), code(x.Type), code(x.SHA256) })
	c.Timings = each(r.Timings, func(x *Timing) { x.Name = code(x.Name) })
	c.DroppedPaths = cleanKeys(r.DroppedPaths, path)
	c.DroppedExtensions, c.DroppedCodeSystems = codeKeys(r.DroppedExtensions), codeKeys(r.DroppedCodeSystems)
	if r.Risk != nil {
		risk := *r.Risk
		risk.QuasiIdentifiers = each(risk.QuasiIdentifiers, func(x *string) { *x = path(*x) })
		c.Risk = &risk
	}
	if r.Links != nil {
		links := *r.Links
		links.DanglingTypes = codeKeys(links.DanglingTypes)
		c.Links = &links
	}
	c.Methods, c.Quarantine, c.ServerErrors = codeKeys(r.Methods), codeKeys(r.Quarantine), codeKeys(r.ServerErrors)
	c.FailedFiles = codeKeys(r.FailedFiles)
	return &c
}

// each returns a copy of the list with do done to every item.
func each[T any](list []T, do func(*T)) []T {
	if len(list) == 0 {
		return nil
	}
	out := append([]T(nil), list...)
	for i := range out {
		do(&out[i])
	}
	return out
}

func codeKeys[N int | int64](counts map[string]N) map[string]N { return cleanKeys(counts, code) }

func cleanKeys[N int | int64](counts map[string]N, clean func(string) string) map[string]N {
	if len(counts) == 0 {
		return nil
	}
	out := make(map[string]N, len(counts))
	for k, n := range counts {
		out[clean(k)] += n
	}
	return out
}

// code accepts what codes, names of types and files, versions and hashes look
// like. A blank stays blank.
func code(s string) string { return fits(s, "._:+/~-", 128) }

// path accepts an element path, with indices or a function in it, or a word in
// parentheses such as "(more)".
func path(s string) string { return fits(s, "._:[]()'-", 256) }

// rulePath accepts the path of a rule, which is an expression of the policy's
// author and comes from no data.
func rulePath(s string) string { return fits(s, " ._:[]()',|=/-", 256) }

func fits(s, also string, most int) string {
	if len(s) > most {
		return unknown
	}
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9') && strings.IndexByte(also, c) < 0 {
			return unknown
		}
	}
	return s
}

// prose bounds a sentence and takes out what a terminal would obey.
func prose(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		if unicode.Is(unicode.Cf, r) { // marks that reorder or hide text
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) <= maxProse {
		return s
	}
	return strings.ToValidUTF8(s[:maxProse], "") + " …"
}

// origin cuts an address to scheme, host and port: a path or a query may name a
// tenant or carry a right.
func origin(s string) string {
	if s == "" {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return unknown
	}
	return u.Scheme + "://" + u.Host
}
