package api

import "context"

type listMovesRequest struct {
	OfQueue
	Limit int `query:"limit" default:"10" minimum:"1" maximum:"10" doc:"Most tasks to list"`
}

type listMovesResponse struct {
	Body struct {
		Moves []moveBody `json:"moves" nullable:"false" doc:"The newest first"`
	}
}

func (s *Server) listMoves(ctx context.Context, req *listMovesRequest) (*listMovesResponse, error) {
	tasks, err := s.broker.ListMoves(ctx, req.queue(ctx, req.Name), req.Limit)
	if err != nil {
		return nil, failed(ctx, err)
	}
	var resp listMovesResponse
	resp.Body.Moves = make([]moveBody, len(tasks))
	for i, task := range tasks {
		resp.Body.Moves[i] = encodeMove(task)
	}
	return &resp, nil
}
