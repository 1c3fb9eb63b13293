package verify

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// Severity says what a finding means for a run under a claim.
type Severity int

// The severities.
const (
	// Hard: the result breaks the claim; the line must not be released.
	Hard Severity = iota
	// Soft: odd, or loosened by the policy, and reported.
	Soft
)

// String names the severity.
func (s Severity) String() string {
	if s == Hard {
		return "hard"
	}
	return "soft"
}

// The classes of findings.
const (
	ClassUnlisted  = "unlisted-path"      // nothing may be at this path
	ClassUnknown   = "unknown-element"    // FHIR has no such element
	ClassNotJSON   = "not-json"           // the result cannot be read
	ClassDate      = "full-date"          // more than a year, or no date
	ClassOldDate   = "old-date"           // a year that tells an age over 89
	ClassAge       = "age-over-89"        // an age over 89 that is not the class of 90
	ClassZIP       = "zip"                // a ZIP code other than the claim allows
	ClassPseudonym = "no-pseudonym"       // an id or reference that is no pseudonym
	ClassCode      = "unlisted-code"      // a code of no public system or value set
	ClassText      = "text"               // a text where none may be
	ClassNumber    = "no-number"          // a value that is not the number it should be
	ClassPattern   = "pattern"            // looks like an e-mail, telephone number, SSN, IP address or URL
	ClassInput     = "input-value"        // an identifying value of the input line
	ClassNoInput   = "unread-input"       // the input line cannot be read, so nothing of it can be looked for
	ClassLong      = "long-number"        // a number as long as an identifier's
	ClassDangling  = "dangling-reference" // a reference to a contained resource that is not there
)

// Finding is one place where a result breaks its claim.
type Finding struct {
	Severity Severity
	Class    string
	// Path is the element path; a member that FHIR does not have is "unknown".
	Path string
	Line int64
}

// Options belong to a checker.
type Options struct {
	// FHIRVersion is STU3, R4, R4B or R5; "" is R4.
	FHIRVersion string
	// AsOf is when ages are counted. It is needed.
	AsOf time.Time
	// Loosened are element paths, such as Observation.note.text or Annotation.text,
	// that the policy loosens with a written reason. What is found there and below
	// is soft: it is reported, and does not break the claim.
	Loosened []string
	// CodeSystems and Extensions are URLs that the policy lets pass besides the
	// claim's, with a written reason. Of such extensions codes, yes and no and parts
	// may be there.
	CodeSystems, Extensions []string
}

// The claims that can be verified.
const (
	// SafeHarbor is the claim of 45 CFR 164.514(b)(2).
	SafeHarbor = "safe-harbor"
	// LimitedDataSet is that of 45 CFR 164.514(e)(2).
	LimitedDataSet = "limited-data-set"
)

// Checker verifies one claim. It is safe for concurrent use.
type Checker struct {
	model    *model
	public   *public
	claim    claim
	loosened []string
	// systems and extensions are those of the options.
	systems, extensions map[string]bool
	// minYear is the earliest year that tells no age over 89.
	minYear int
	maxYear int
	walks   sync.Pool
}

// New makes the checker of a claim.
func New(name string, o Options) (*Checker, error) {
	claim, ok := claims[name]
	if !ok {
		return nil, fmt.Errorf("the claim %q cannot be verified; %s and %s can", name, SafeHarbor, LimitedDataSet)
	}
	if o.AsOf.IsZero() {
		return nil, fmt.Errorf("the as-of instant is needed: ages are counted at it")
	}
	version := strings.ToLower(o.FHIRVersion)
	if version == "" {
		version = "r4"
	}
	m, err := loadModel(version)
	if err != nil {
		return nil, err
	}
	p, err := loadPublic()
	if err != nil {
		return nil, err
	}
	c := &Checker{model: m, public: p, claim: claim, loosened: o.Loosened, minYear: o.AsOf.Year() - oldest, maxYear: o.AsOf.Year() + 100}
	c.systems, c.extensions = setOf(o.CodeSystems), setOf(o.Extensions)
	c.walks.New = func() any { return &walk{c: c} }
	return c, nil
}

func setOf(list []string) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, item := range list {
		set[item] = true
	}
	return set
}

// oldest is the highest age that may be told (45 CFR 164.514(b)(2)(i)(C)).
const oldest = 89

// maxFindings bounds the findings of one line, of each severity for itself: many
// odd things must not hide a leak.
const maxFindings = 100

// Check looks at one line: in is the input, or nil where it is not known, out
// the result.
func (c *Checker) Check(line int64, in, out []byte) []Finding {
	w := c.walks.Get().(*walk)
	defer func() {
		w.data, w.given.data = nil, nil // the lines are the caller's
		c.walks.Put(w)
	}()
	w.reset(line)
	if in != nil && !w.input(in) {
		// What cannot be read cannot be looked for.
		w.find(Hard, ClassNoInput)
	}
	w.result(out)
	return w.findings
}
