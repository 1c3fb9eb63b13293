package ledger

import (
	"time"

	"fhirdeid/internal/bulkdata"
)

// Run is the record of one pass from kick-off to release. What is fixed at the
// start (settings, request, policy, keys, as-of) is read only here for the rest
// of the run, so that a change of settings at noon does not change a run that
// began at one.
type Run struct {
	ID    string `json:"id"`
	Scope string `json:"scope"`
	State State  `json:"state"`

	// Tick is the number of the heartbeat message that is due; older messages
	// are dropped. TickAt is when it was last moved.
	Tick   int64     `json:"tick"`
	TickAt time.Time `json:"tickAt"`

	CreatedAt time.Time `json:"createdAt"`
	EndedAt   time.Time `json:"endedAt,omitzero"`
	// AsOf is the run's "now": ages and as-of rules are computed at this
	// instant, so that a file done again has the same bytes.
	AsOf     time.Time `json:"asOf"`
	Deadline time.Time `json:"deadline"`

	// Server is the FHIR base URL, without credentials or query.
	Server   string           `json:"server"`
	Request  bulkdata.Request `json:"request"`
	Settings Settings         `json:"settings"`
	Policy   Policy           `json:"policy"`
	// Generation names the policy, keys, data set and FHIR version: results of one
	// generation join with each other, and with no other's.
	Generation string `json:"generation,omitempty"`
	// Risk is what is counted of the run's patients.
	Risk   *Risk  `json:"risk,omitempty"`
	Keys   []Key  `json:"keys,omitempty"`
	Engine string `json:"engine"`
	// DataSet is the research data set; keys are derived for it.
	DataSet string `json:"dataSet"`
	// FHIRVersion is that of the policy, or of the settings where it names none.
	FHIRVersion string `json:"fhirVersion,omitempty"`

	Kickoff  Kickoff   `json:"kickoff"`
	Poll     Poll      `json:"poll"`
	Manifest *Manifest `json:"manifest,omitempty"`
	Fetch    Fetch     `json:"fetch"`
	Release  Release   `json:"release"`

	// Totals is filled when the run is complete.
	Totals  *Totals  `json:"totals,omitempty"`
	Reasons []Reason `json:"reasons,omitempty"`
	// Notes are foreseen faults the run lived through, newest last, at most
	// MaxNotes.
	Notes []Note `json:"notes,omitempty"`
	// Orders are what people asked of the run, newest last.
	Orders []Order `json:"orders,omitempty"`
	// Stages says when each state was entered.
	Stages map[State]time.Time `json:"stages,omitempty"`
}

// Settings are the per-run settings, copied at the start.
type Settings struct {
	PollInterval    time.Duration `json:"pollInterval"`
	PollIntervalMax time.Duration `json:"pollIntervalMax"`
	TickInterval    time.Duration `json:"tickInterval"`
	RedriveAfter    time.Duration `json:"redriveAfter"`
	StallDeadline   time.Duration `json:"stallDeadline"`
	// FileBytes is the most bytes of one raw file.
	FileBytes int64 `json:"fileBytes"`
	// FetchParallel is how many outputs are fetched at once.
	FetchParallel int `json:"fetchParallel"`
	// MaxQuarantinedLines is how many bad lines a release may leave out.
	MaxQuarantinedLines int64 `json:"maxQuarantinedLines"`
}

// Policy names the rule file of a run.
type Policy struct {
	Name  string `json:"name"`
	Hash  string `json:"hash"` // hex SHA-256 of its bytes
	Claim string `json:"claim"`
	// Extends is the built-in profile that it extends, or "".
	Extends string `json:"extends,omitempty"`
	// Loosened are the places where it keeps more than the profile it extends.
	Loosened []Loosening `json:"loosened,omitempty"`
}

// Loosening is a place where a policy keeps more than the profile it extends: the
// path, the method there, and the reason that its author gives.
type Loosening struct {
	Path   string `json:"path"`
	Method string `json:"method,omitempty"`
	Reason string `json:"reason"`
}

// Key names a key version a run uses. ID is a public fingerprint; the key
// itself is never in the ledger.
type Key struct {
	Purpose string `json:"purpose"`
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	ID      string `json:"id"`
}

// Kickoff is the state of the export job's start.
type Kickoff struct {
	// Attempts counts requests recorded before they were sent. AttemptedAt is
	// the newest.
	Attempts    int       `json:"attempts"`
	AttemptedAt time.Time `json:"attemptedAt,omitzero"`
	// Again is the earliest instant of the next try after a refused one.
	Again time.Time `json:"again,omitzero"`
	// StatusURL is known once the server has accepted. ServerTime is the
	// server's own Date of that answer.
	StatusURL  string    `json:"statusUrl,omitempty"`
	ServerTime time.Time `json:"serverTime,omitzero"`
	AcceptedAt time.Time `json:"acceptedAt,omitzero"`
	// Deleted is set before a DELETE is sent: no manifest is believed after it.
	Deleted bool `json:"deleted,omitempty"`
	// DeleteTries counts DELETE requests that failed.
	DeleteTries int `json:"deleteTries,omitempty"`
}

// Poll is the state of waiting for the export job.
type Poll struct {
	Next     time.Time     `json:"next,omitzero"`
	Interval time.Duration `json:"interval,omitempty"`
	Count    int64         `json:"count"`
	Failures int           `json:"failures,omitempty"`
}

// Manifest says what the server exported. The entries with their URLs are kept
// in pages beside the raw data, since URLs may carry rights.
type Manifest struct {
	// Dir is the folder of the pages in the raw container.
	Dir             string    `json:"dir"`
	TransactionTime time.Time `json:"transactionTime"`
	// Outputs, Errors and Deleted count the manifest's entries. Fetch indices
	// run over outputs first, then errors.
	Outputs int `json:"outputs"`
	Errors  int `json:"errors,omitempty"`
	Deleted int `json:"deleted,omitempty"`
	// Lines is the sum of the counts the server gave; Counted how many outputs
	// gave one.
	Lines   int64 `json:"lines"`
	Counted int   `json:"counted"`
	// Shape is a hash of types and counts, the same after links were renewed.
	Shape string `json:"shape"`
	// Refresh asks the heartbeat to read the manifest again, since links have
	// expired. Refreshed counts how often that was done.
	Refresh   bool `json:"refresh,omitempty"`
	Refreshed int  `json:"refreshed,omitempty"`
}

// Entries is how many files the server offers: outputs and errors.
func (m *Manifest) Entries() int { return m.Outputs + m.Errors }

// Fetch is the heartbeat's view of the fetching stage.
type Fetch struct {
	Chains []Chain `json:"chains,omitempty"`
	Sweep  Sweep   `json:"sweep,omitzero"`
	// FetchedAt is when the last output was fetched, DoneAt when the last file was
	// de-identified, by the storage's clock; known when all are.
	FetchedAt time.Time `json:"fetchedAt,omitzero"`
	DoneAt    time.Time `json:"doneAt,omitzero"`
	// Progress is how far things were at the last tick, ProgressAt when that
	// last changed.
	Progress   Progress  `json:"progress"`
	ProgressAt time.Time `json:"progressAt,omitzero"`
}

// Chain is one of the parallel sequences of fetches.
type Chain struct {
	// Next is the chain's first entry that is not fetched.
	Next int `json:"next"`
	// Pieces is how many results of that entry there were at the last look.
	Pieces int `json:"pieces"`
	// SentAt is when the chain was last started, or last seen to move.
	SentAt time.Time `json:"sentAt,omitzero"`
}

// Sweep is one look through all entries for files without a result.
type Sweep struct {
	// Began is when it began, Next the entry it goes on with.
	Began time.Time `json:"began,omitzero"`
	Next  int       `json:"next,omitempty"`
	// Swept is when the last whole one began.
	Swept time.Time `json:"swept,omitzero"`
}

// Progress counts what is there.
type Progress struct {
	Fetched int   `json:"fetched"` // entries
	Files   int   `json:"files"`   // files of fetched outputs
	Results int   `json:"results"` // files de-identified, of any attempt
	Lines   int64 `json:"lines"`   // lines in those results
	Bytes   int64 `json:"bytes"`   // raw bytes in those results
	Copied  int   `json:"copied"`  // files in research
}

// Release is the state of the releasing stage.
type Release struct {
	Files int `json:"files"`
	// Publishing is set before the release's manifest is written. From then on
	// the run can only end as released.
	Publishing bool `json:"publishing,omitempty"`
	// Published is set once the release's manifest is there.
	Published bool `json:"published,omitempty"`
	// NewGeneration says that the release is the first of its generation, and
	// there was another one before.
	NewGeneration bool      `json:"newGeneration,omitempty"`
	PublishedAt   time.Time `json:"publishedAt,omitzero"`
	// Cleanup counts ticks that failed to delete what is no longer needed.
	Cleanup int `json:"cleanup,omitempty"`
}

// Note is a foreseen fault that the run lived through.
type Note struct {
	At   time.Time `json:"at"`
	Code string    `json:"code"`
	Text string    `json:"text"`
	// Times counts repeats of the same code in a row.
	Times int `json:"times,omitempty"`
}

// MaxNotes bounds Run.Notes.
const MaxNotes = 20

// Note records a foreseen fault; repeats of the newest code are counted.
func (r *Run) Note(at time.Time, code, text string) {
	if n := len(r.Notes); n > 0 && r.Notes[n-1].Code == code {
		last := &r.Notes[n-1]
		last.At, last.Text = at, text
		last.Times = max(last.Times, 1) + 1
		return
	}
	r.Notes = append(r.Notes, Note{At: at, Code: code, Text: text})
	if extra := len(r.Notes) - MaxNotes; extra > 0 {
		r.Notes = append([]Note(nil), r.Notes[extra:]...)
	}
}

// Order is what a person asked of a run.
type Order struct {
	Kind   OrderKind `json:"kind"`
	At     time.Time `json:"at"`
	By     string    `json:"by,omitempty"`
	Reason string    `json:"reason,omitempty"`
	// Overrules are the codes of the reasons that the run was held for when its
	// release was ordered. What comes up later holds it again.
	Overrules []string `json:"overrules,omitempty"`
}

// OrderKind names an order.
type OrderKind string

// What a person may ask of a run.
const (
	OrderCancel  OrderKind = "cancel"  // end a run that is not over
	OrderRelease OrderKind = "release" // release a held run as it is
	OrderRetry   OrderKind = "retry"   // do again what was not clean
	OrderDiscard OrderKind = "discard" // give a held or failed run up and delete its data
)

// Ordered returns the newest order of the kind.
func (r *Run) Ordered(kind OrderKind) (Order, bool) {
	for i := len(r.Orders) - 1; i >= 0; i-- {
		if r.Orders[i].Kind == kind {
			return r.Orders[i], true
		}
	}
	return Order{}, false
}

// Enter moves the run to a state and notes when.
func (r *Run) Enter(s State, at time.Time) {
	r.State = s
	if r.Stages == nil {
		r.Stages = make(map[State]time.Time)
	}
	r.Stages[s] = at
	if s.Over() {
		r.EndedAt = at
	} else {
		r.EndedAt = time.Time{}
	}
}
