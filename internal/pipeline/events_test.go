package pipeline

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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
