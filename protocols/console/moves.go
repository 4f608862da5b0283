package console

import (
	"strconv"

	"github.com/polymq/polymq/core"
)

// atoi gives a number that is not negative, 0 for nonsense.
func atoi(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func (s *Server) onMoves(x *exchange) (queuePage, error) {
	data, err := s.onQueue(x, "moves")
	if err != nil {
		return data, err
	}
	sources, err := s.broker.DeadLetterSources(x.ctx(), x.queue(), core.ListQueuesInput{Limit: listed})
	if err != nil {
		return data, err
	}
	data.Sources = sources.Queues
	if data.Tasks, err = s.broker.ListMoves(x.ctx(), x.queue(), core.MaxMovesListed); err != nil {
		return data, err
	}
	for _, task := range data.Tasks {
		data.Running = data.Running || task.EndedAt.IsZero()
	}
	return data, nil
}

// showMoves shows whose dead letters come to a queue, and moves them back.
func (s *Server) showMoves(x *exchange) error {
	data, err := s.onMoves(x)
	if err != nil {
		return err
	}
	return s.show(x, "queue_moves.html", &page{Title: "Dead letters", Heading: data.Queue.Name.Name, Active: "queues", Data: data, Snippets: movesSnippets(x)})
}

// showTasks shows how far move tasks are.
func (s *Server) showTasks(x *exchange) error {
	data, err := s.onMoves(x)
	if err != nil {
		return err
	}
	return s.part(x, "queue_moves.html", "tasks", data)
}

// startMove moves the messages of a dead-letter queue, back or elsewhere.
func (s *Server) startMove(x *exchange) error {
	f := x.form()
	in := core.StartMove{Source: x.queue(), Destination: x.field("destination"), Rate: f.number("rate", core.MaxMoveRate, 0)}
	if f.err != nil {
		return f.err
	}
	if _, err := s.broker.StartMove(x.ctx(), in); err != nil {
		return err
	}
	return x.done("/queues/"+x.queue().Name+"/moves", x.t("The messages are being moved."))
}

// cancelMove ends a move task.
func (s *Server) cancelMove(x *exchange) error {
	if _, err := s.broker.CancelMove(x.ctx(), x.queue(), x.r.PathValue("task")); err != nil {
		return err
	}
	return x.done("/queues/"+x.queue().Name+"/moves", x.t("The task is ending; what it has moved stays moved."))
}
