package lint

import (
	"fmt"
	"slices"
	"strings"

	"fhirdeid/anonymize"
	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/policy"
)

// what says in words what becomes of an element.
func (x *explainer) what(d *anonymize.Decision) string {
	text := ""
	switch {
	case d.Rule > 0:
		text = Words(x.policy, &x.policy.Rules[d.Rule-1], d.Type, d.Element)
	case x.policy.Mode == policy.Strict:
		text = "No rule reaches it, so it is dropped."
	default:
		text = "No rule reaches it, so it stays as it is."
	}
	if len(d.Maybe) > 0 {
		text += " Where the condition of an earlier rule holds, that rule decides instead."
	}
	return text
}

// Words says what a rule's method does to an element: to its value, or if it
// consists of others to those that no other rule decides.
func Words(p *policy.Policy, r *policy.Rule, t *fhirmodel.Type, e *fhirmodel.Element) string {
	text := methodWords(p, r, t, e)
	if !t.Kind.Primitive() {
		text = "Of each value in it that no earlier rule decides: " + strings.ToLower(text[:1]) + text[1:]
	}
	return text
}

func methodWords(p *policy.Policy, r *policy.Rule, t *fhirmodel.Type, e *fhirmodel.Element) string {
	q := &p.Parameters
	switch r.Method {
	case policy.Keep:
		return "It stays as it is."
	case policy.Redact:
		return redactWords(q, t, e)
	case policy.DateShift:
		if t.Kind.Primitive() && !isDay(t) {
			return "It stays as it is: dateShift changes dates only."
		}
		shift := fmt.Sprintf("The date is shifted by -50 to 50 days, the same for all dates of one %s, and times become zero.", q.DateShiftScope)
		if q.DateShiftFixedOffsetInDays != nil {
			shift = fmt.Sprintf("The date is shifted by %d days, and times become zero.", *q.DateShiftFixedOffsetInDays)
		}
		if q.PartialDates {
			return shift + " Of a date without a day its year stays, and a date more than 89 years ago is removed."
		}
		return shift + " A date without a day, or more than 89 years ago, is removed."
	case policy.CryptoHash:
		if e != nil && e.Name == "reference" {
			return "The id in the reference becomes a keyed hash (HMAC-SHA256), the same that the id of the resource becomes by this method."
		}
		return "It becomes a keyed hash (HMAC-SHA256) of 64 hexadecimal digits."
	case policy.Encrypt:
		return "It is encrypted (AES-CBC); who has the key can read it."
	case policy.Substitute:
		if r.ReplaceWith.Null {
			return "It is removed."
		}
		return fmt.Sprintf("It is replaced by %q.", r.ReplaceWith.Text)
	case policy.PerturbBy:
		return perturbWords(r)
	case policy.GeneralizeBy:
		return generalizeWords(r)
	}
	return strictWords(r)
}

func isDay(t *fhirmodel.Type) bool {
	return t.Kind == fhirmodel.Date || t.Kind == fhirmodel.DateTime || t.Kind == fhirmodel.Instant
}

func redactWords(q *policy.Parameters, t *fhirmodel.Type, e *fhirmodel.Element) string {
	var rest []string
	if q.PartialDates && holds(t, e, func(t *fhirmodel.Type, _ *fhirmodel.Element) bool { return isDay(t) }) {
		rest = append(rest, "of a date its year stays, unless it is more than 89 years ago")
	}
	if q.PartialZIPCodes && holds(t, e, func(_ *fhirmodel.Type, e *fhirmodel.Element) bool { return e != nil && e.Name == "postalCode" }) {
		rest = append(rest, "of a postal code the first three digits stay, or none where few people live")
	}
	if q.PartialAges && holds(t, e, func(t *fhirmodel.Type, e *fhirmodel.Element) bool {
		return t.Name == "Age" || t.Kind == fhirmodel.Decimal && e != nil && e.Name == "value"
	}) {
		rest = append(rest, "of an age the number stays up to 89")
	}
	if len(rest) == 0 {
		return "It is removed."
	}
	return "It is removed, but " + strings.Join(rest, "; ") + "."
}

// holds reports whether an element, or one in it but for extensions, is of a kind.
func holds(t *fhirmodel.Type, e *fhirmodel.Element, is func(*fhirmodel.Type, *fhirmodel.Element) bool) bool {
	seen := make(map[*fhirmodel.Type]bool)
	var search func(t *fhirmodel.Type, e *fhirmodel.Element) bool
	search = func(t *fhirmodel.Type, e *fhirmodel.Element) bool {
		if is(t, e) {
			return true
		}
		if t.Name == "Extension" || seen[t] {
			return false
		}
		seen[t] = true
		return slices.ContainsFunc(t.Elements, func(c *fhirmodel.Element) bool { return search(c.Type, c) })
	}
	return search(t, e)
}

func perturbWords(r *policy.Rule) string {
	width := fmt.Sprintf("%g", r.Perturb.Span)
	if r.Perturb.Proportional {
		width = fmt.Sprintf("%g times the value", r.Perturb.Span)
	}
	return fmt.Sprintf("A number is changed by noise of a width of %s, and rounded to %d decimals.", width, r.Perturb.RoundTo)
}

func generalizeWords(r *policy.Rule) string {
	var b strings.Builder
	b.WriteString("It is generalized:")
	for _, c := range r.Generalize.Cases {
		fmt.Fprintf(&b, " where %s it becomes %s;", c.ConditionText, c.TargetText)
	}
	if r.Generalize.KeepOthers {
		b.WriteString(" else it stays as it is.")
	} else {
		b.WriteString(" else it is removed.")
	}
	return b.String()
}

func strictWords(r *policy.Rule) string {
	switch r.Method {
	case policy.Year:
		return "Of a date its year stays; a date that would tell an age over 89 is dropped."
	case policy.ZIP3:
		return "The first three digits of a US ZIP code stay where more than 20,000 people live, else 000."
	case policy.Pseudonym:
		return "An id, or the id in a reference, becomes a keyed pseudonym."
	case policy.Coding:
		return "System and code stay if the code system is listed; the rest is dropped."
	case policy.Extension:
		return "It stays if its URL is listed, as far as the methods for its type keep its value; else it is dropped."
	case policy.Quantity:
		return "The number stays with its UCUM unit, or an amount of money; an age over 89 years becomes 90. The rest is dropped."
	case policy.Shift:
		return "The date is moved by a number of days that is the patient's own; where there is not exactly one patient, its year stays."
	case policy.Town:
		return "The name of the town stays."
	case policy.ZIP:
		return "A whole ZIP code of the United States stays; others are dropped."
	case policy.Code:
		return "It stays if it is yes or no, a resource type, or a code of the element's required value set; else it is dropped."
	case policy.Number:
		return "A number of at most eight digits stays; in an observation of an age one over 89 becomes 90."
	case policy.State:
		return "The state of an address in the United States, and the country, stay; the rest is dropped."
	}
	return fmt.Sprintf("The method %s of this program is applied.", r.Method)
}
