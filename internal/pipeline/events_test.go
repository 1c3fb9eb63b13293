package pipeline

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fhirdeid/internal/ledger"
	"fhirdeid/internal/telemetry"
)

// TestLogLinesAreEvents: every log line of the function app has an event for its
// message and attributes of telemetry's list, and every event is listed and
// logged somewhere. Alerts and workbooks find the lines by these names.
func TestLogLinesAreEvents(t *testing.T) {
	logged := make(map[string]bool)
	declared := make(map[string]bool)
	for _, dir := range []string{".", "../../handlers", "../../functions"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if spec, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, "Event") {
					declared[spec.Names[0].Name] = true
				}
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				checkLogCall(t, set, call, logged)
				return true
			})
		}
	}
	if len(declared) != len(events) || len(logged) != len(events) {
		t.Errorf("%d events are declared, %d listed, %d logged", len(declared), len(events), len(logged))
	}
	for name := range declared {
		if !logged[name] {
			t.Errorf("%s is never logged", name)
		}
	}
	sorted := slices.Sorted(slices.Values(Events()))
	if len(slices.Compact(sorted)) != len(events) {
		t.Error("an event is listed twice")
	}
}

// checkLogCall looks at one call, if it is one of a logger.
func checkLogCall(t *testing.T, set *token.FileSet, call *ast.CallExpr, logged map[string]bool) {
	t.Helper()
	args := call.Args
	switch name := callee(call.Fun); {
	case slices.Contains([]string{"DebugContext", "InfoContext", "WarnContext", "ErrorContext", "log"}, name):
		if len(args) == 0 {
			return
		}
		args = args[1:]
	case slices.Contains([]string{"Debug", "Info", "Warn", "Error", "With"}, name):
		if len(args) == 0 {
			return // err.Error()
		}
		if name == "With" {
			checkKeys(t, set, args)
			return
		}
	default:
		return
	}
	event := callee(args[0])
	if !strings.HasPrefix(event, "Event") {
		t.Errorf("%s: the message of a log line is no event of events.go", set.Position(call.Pos()))
		return
	}
	logged[event] = true
	checkKeys(t, set, args[1:])
}

func checkKeys(t *testing.T, set *token.FileSet, args []ast.Expr) {
	t.Helper()
	for i := 0; i < len(args); i += 2 {
		key, ok := args[i].(*ast.BasicLit)
		if !ok || !slices.Contains(telemetry.Allowed(), strings.Trim(key.Value, `"`)) {
			t.Errorf("%s: attribute %d of a log line is not on the list of package telemetry", set.Position(args[i].Pos()), i/2)
		}
	}
}

// callee is the last name of what is called, or of a constant.
func callee(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// TestNightIsLoggedWhole: of a night's lines nothing is taken away on the way out,
// and the lines are there that alerts wait for.
func TestNightIsLoggedWhole(t *testing.T) {
	w := calm(t, simOutput{typ: "Patient", data: []byte(patientLine), count: 1}, simOutput{typ: "Observation", data: []byte("{\"resourceType\":\"Observation\"\n"), count: 1})
	var log bytes.Buffer
	w.log = telemetry.NewLogger(&log, slog.LevelDebug, Events())
	wantState(t, w.oneNightOf(t), ledger.Held, "quarantine")
	for _, bad := range []string{"unlisted event", "withheld"} {
		if strings.Contains(log.String(), bad) {
			t.Errorf("a line has %q:\n%s", bad, log.String())
		}
	}
	for _, want := range []string{
		`"msg":"run started"`, `"msg":"export accepted"`, `"msg":"run entered stage"`, `"stage":"fetching"`, `"msg":"output fetched"`,
		`"msg":"file de-identified"`, `"quarantined":1`, `"msg":"heartbeat"`, `"msg":"run over"`, `"state":"held","reasons":["quarantine"]`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no line has %s", want)
		}
	}
}
