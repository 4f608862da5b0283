package workers

import "context"

// inBatches calls do until it finds less than a whole batch, so that no statement holds many row
// locks for long. do says how many it has dealt with.
func inBatches(ctx context.Context, batch int, do func(ctx context.Context, limit int) (int, error)) error {
	for {
		n, err := do(ctx, batch)
		if err != nil || n < batch {
			return err
		}
	}
}
