package policy

import "fmt"

// Error is a fault of a rule file. It says where and what, and quotes nothing
// but the rule file itself.
type Error struct {
	// Line is the line in the file, from 1, or 0.
	Line int
	// Rule is the number of the rule, from 1, or 0.
	Rule int
	Text string
}

func (e *Error) Error() string {
	switch {
	case e.Rule > 0:
		return fmt.Sprintf("line %d, rule %d: %s", e.Line, e.Rule, e.Text)
	case e.Line == 0:
		return e.Text
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Text)
}
