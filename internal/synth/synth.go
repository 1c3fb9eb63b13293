package synth

import (
	"iter"
	"math/rand/v2"
	"time"
)

// Config says what to make.
type Config struct {
	Seed     uint64
	Patients int
	// AsOf is "today" for the patients' ages; zero is 2026-11-01.
	AsOf time.Time
}

// Hospital makes the resources. It is safe for concurrent use.
type Hospital struct {
	c Config
}

// New returns a hospital with so many patients.
func New(c Config) *Hospital {
	if c.AsOf.IsZero() {
		c.AsOf = time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)
	}
	return &Hospital{c}
}

// Patients is how many there are.
func (h *Hospital) Patients() int { return h.c.Patients }

// types in the order in which a server exports them. Those of the hospital
// itself come once, the others for each patient.
var (
	staffTypes   = []string{"Organization", "Location", "Practitioner"}
	patientTypes = []string{
		"Patient", "Encounter", "Condition", "Observation", "MedicationRequest", "Procedure", "Immunization", "AllergyIntolerance",
		"DiagnosticReport", "DocumentReference", "Claim", "ExplanationOfBenefit", "Coverage", "CareTeam", "Device",
	}
)

// Types are the resource types there are.
func (h *Hospital) Types() []string {
	types := append([]string(nil), staffTypes...)
	types = append(types, patientTypes...)
	return append(types, "Group")
}

// GroupID is the id of the one group, which has every third patient.
const GroupID = "cohort-1"

// InGroup reports whether a patient is in the group.
func InGroup(patient int) bool { return patient%3 == 0 }

// Resources goes through the resources of a type as JSON, without line ends. A
// line is valid until the next. member chooses patients, nil all; what belongs
// to the hospital itself is there with nil only.
func (h *Hospital) Resources(typ string, member func(patient int) bool) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		var buf []byte
		switch typ {
		case "Organization", "Location", "Practitioner":
			if member != nil {
				return
			}
			for i := range h.staffCount(typ) {
				buf = h.staff(buf[:0], typ, i)
				if !yield(buf) {
					return
				}
			}
			return
		case "Group":
			if member == nil {
				yield(h.group(buf))
			}
			return
		}
		for i := range h.c.Patients {
			if member != nil && !member(i) {
				continue
			}
			p := h.person(i)
			for k := range p.count(typ) {
				buf = p.resource(buf[:0], typ, k)
				if !yield(buf) {
					return
				}
			}
		}
	}
}

// random is a stream of numbers that belongs to one patient and purpose.
func (h *Hospital) random(patient int, purpose uint64) *rand.Rand {
	return rand.New(rand.NewPCG(h.c.Seed^purpose*0x9e3779b97f4a7c15, uint64(patient)+1))
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }
