package handlers

import (
	"fmt"
	"runtime/debug"
	"strings"
)

func trimSlash(path string) string { return strings.TrimPrefix(path, "/") }

// typeName names the type of a panic's value, never the value.
func typeName(v any) string { return fmt.Sprintf("%T", v) }

// stack lists the functions and lines of the panic without their arguments.
func stack() string {
	var kept []string
	for _, line := range strings.Split(string(debug.Stack()), "\n") {
		if strings.HasPrefix(line, "\t") { // file:line; the other lines have arguments
			kept = append(kept, strings.TrimSpace(line))
		}
	}
	return strings.Join(kept, " < ")
}
