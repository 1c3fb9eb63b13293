package funchost

import "strings"

// consoleLine passes on what the handler writes: stdout as information, stderr
// as an error, or as a warning if the line says so.
func (h *Host) consoleLine(line string, stderr bool) {
	h.reporter.report(Event{Kind: Console, Line: line, Stderr: stderr})
	const category = "Host.Function.Console"
	switch {
	case !stderr:
		h.log.Info(line, "category", category)
	case strings.Contains(strings.ToLower(line), "warn"):
		h.log.Warn(line, "category", category)
	default:
		h.log.Error(line, "category", category)
	}
}
