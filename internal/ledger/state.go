package ledger

// State says where a run stands.
type State string

// The life of a run: exporting → fetching → releasing → one of the ends.
const (
	Exporting State = "exporting" // the server's export job is asked for or running
	Fetching  State = "fetching"  // outputs are fetched and files de-identified
	Releasing State = "releasing" // everything is complete and checked; it is being copied to research

	Released  State = "released"  // visible to researchers, whole
	Held      State = "held"      // complete, but it waits for a person
	Failed    State = "failed"    // it cannot be completed
	Cancelled State = "cancelled" // a person ended it
)

// Over reports whether the run has ended: its heartbeat has stopped and its
// scope is free.
func (s State) Over() bool {
	switch s {
	case Released, Held, Failed, Cancelled:
		return true
	}
	return false
}

// Reason says why a run is held, failed or cancelled. Code is stable and made
// for programs; Text is a sentence for people that says what to do. Neither
// holds a value from the data.
type Reason struct {
	Code string `json:"code"`
	Text string `json:"text"`
	// Hard marks a reason that no person may overrule: a release would break
	// the policy's claim.
	Hard bool `json:"hard,omitempty"`
}
