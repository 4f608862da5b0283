package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/polymq/polymq/cmd/polymq/awscli"
	"github.com/polymq/polymq/cmd/polymq/bench"
	"github.com/polymq/polymq/cmd/polymq/client"
	"github.com/polymq/polymq/cmd/polymq/manage"
	"github.com/polymq/polymq/cmd/polymq/progress"
	"github.com/polymq/polymq/cmd/polymq/server"
)

func main() {
	os.Exit(run(untilSignal(), os.Args[1:]))
}

// untilSignal gives a context that the first signal ends, which asks for a shutdown. Signals have their
// usual effect again before it begins, so that a second one ends the program at once.
func untilSignal() context.Context {
	ctx, shutDown := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		signal.Stop(signals)
		shutDown()
	}()
	return ctx
}

// run runs the command line and gives the exit code.
func run(ctx context.Context, args []string) int {
	if awscli.IsName(os.Args[0]) {
		return runAWS(ctx, args)
	}
	root := rootCommand(os.Environ())
	root.SetArgs(args)
	return execute(ctx, root)
}

// execute runs a command line and gives the exit code. What went wrong stands on the standard error.
func execute(ctx context.Context, root *cobra.Command) int {
	jsonForPrograms(root)
	err := root.ExecuteContext(ctx)
	if interrupted(ctx, err) {
		fmt.Fprintln(root.ErrOrStderr(), "polymq: interrupted")
		return client.ExitInterrupted
	}
	if err != nil {
		fmt.Fprintf(root.ErrOrStderr(), "polymq: %v\n", err)
		return client.ExitCode(err)
	}
	return 0
}

// interrupted says whether an error is that a signal ended what was under way.
func interrupted(ctx context.Context, err error) bool {
	return ctx.Err() != nil && errors.Is(err, context.Canceled)
}

// jsonForPrograms makes every command that has --json print JSON where no person reads it: in a pipe or a file.
// --json and --json=false say otherwise.
func jsonForPrograms(command *cobra.Command) {
	if do := command.RunE; do != nil {
		command.RunE = func(command *cobra.Command, args []string) error {
			flag := command.Flags().Lookup("json")
			if flag != nil && flag.Value.Type() == "bool" && !flag.Changed && !progress.IsTerminal(command.OutOrStdout()) {
				_ = flag.Value.Set("true") // which a bool can be
			}
			return do(command, args)
		}
	}
	for _, below := range command.Commands() {
		jsonForPrograms(below)
	}
}

// awsFailed is the exit code of the AWS command line when a service refuses.
const awsFailed = 254

// runAWS is the program under the name of the AWS command line.
func runAWS(ctx context.Context, args []string) int {
	err := awscli.Run(ctx, args, os.Getenv, os.Stdout)
	if interrupted(ctx, err) {
		return client.ExitInterrupted
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "\n%s\n", capitalized(err.Error()))
		return awsFailed
	}
	return 0
}

func capitalized(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

func awsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "aws SERVICE COMMAND [--OPTION VALUE…]",
		Short: "Call SQS, SNS or STS as the AWS command line does",
		Long: `Calls SQS, SNS or STS as the AWS command line does, with its commands and options. The server is --endpoint-url,
AWS_ENDPOINT_URL or else http://localhost:4566; region and access key are the AWS_… variables.`,
		Example:            "  polymq aws sqs create-queue --queue-name orders --query QueueUrl --output text",
		DisableFlagParsing: true,
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) == 0 || args[0] == "--help" {
				return command.Help()
			}
			return awscli.Run(command.Context(), args, os.Getenv, command.OutOrStdout())
		},
	}
}

func rootCommand(environ []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "polymq",
		Short: "One queue server for the SDKs of several clouds, on PostgreSQL",
		Long: `polymq is a queue server that unmodified AWS SQS and SNS and Alibaba MNS SDKs can use, at
the same time and with the same queues and topics. Everything that lasts is in PostgreSQL.`,
		Example: `  polymq serve
  polymq serve --database-url postgres://polymq:secret@db.example:5432/polymq
  polymq bench --mode cycle`,
		Version:       server.Version(),
		SilenceUsage:  true,
		SilenceErrors: true, // main prints them
	}
	root.AddGroup(&cobra.Group{ID: groupServer, Title: "A server:"}, &cobra.Group{ID: groupUse, Title: "What is in it (any server, --endpoint):"})
	root.AddCommand(grouped(groupServer, serveCommand(environ), migrateCommand(environ), doctorCommand(environ), healthCommand(environ), bench.Command(cmp.Or(variable(environ, "POLYMQ_ENDPOINT"), client.DefaultEndpoint)), versionCommand())...)
	root.AddCommand(grouped(groupUse, joined(manage.Commands(environ), keyCommand(environ), accountCommand(environ), auditCommand(environ), policyCommand(environ), caCommand(environ), awsCommand())...)...)
	root.SetFlagErrorFunc(func(command *cobra.Command, err error) error {
		return client.UsageError(fmt.Errorf("%w%s, see %s --help", notANumber(err), similarFlag(command, err), command.CommandPath()))
	})
	root.SetUsageTemplate(strings.Replace(root.UsageTemplate(), "{{if .Runnable}}", "{{if and .Runnable (not .HasSubCommands)}}", 1)) // see groupOf
	checkArguments(root)
	eachFlag(root, readBetter)
	eachFlag(root, shortenTime)
	return root
}

// eachFlag calls do with each flag of a command and of those below.
func eachFlag(command *cobra.Command, do func(*pflag.Flag)) {
	command.Flags().VisitAll(do)
	command.PersistentFlags().VisitAll(do)
	for _, below := range command.Commands() {
		eachFlag(below, do)
	}
}

// readBetter has lengths of time be given in days, too, and refuses limits below 0.
func readBetter(flag *pflag.Flag) {
	switch flag.Value.(type) {
	case daysFlag, limitFlag, *lateFlag:
		return // it is done
	}
	switch {
	case flag.Value.Type() == "duration" && reflect.TypeOf(flag.Value).ConvertibleTo(reflect.TypeFor[*time.Duration]()): // not a type of a command's own
		flag.Value = daysFlag{flag.Value}
	case flag.Name == "limit" && flag.Value.Type() == "int":
		flag.Value = limitFlag{flag.Value}
	}
}

// daysFlag is a flag of a length of time that may be in days.
type daysFlag struct{ pflag.Value }

// Set is of pflag.Value.
func (f daysFlag) Set(text string) error {
	if d, err := client.ParseSpan(text); err == nil {
		text = d.String()
	}
	return f.Value.Set(text)
}

// limitFlag is a flag of how many at most.
type limitFlag struct{ pflag.Value }

// Set is of pflag.Value.
func (f limitFlag) Set(text string) error {
	if strings.HasPrefix(text, "-") {
		return errors.New("must not be negative")
	}
	return f.Value.Set(text)
}

// shortenTime has the help show a length of time as people write it.
func shortenTime(flag *pflag.Flag) {
	if d, err := time.ParseDuration(flag.DefValue); err == nil && flag.Value.Type() == "duration" {
		flag.DefValue = shortTime(d)
	}
}

// shortTime shows a length of time: 1m; 2160h, 90 days; 0, which the help leaves out.
func shortTime(d time.Duration) string {
	const day = 24 * time.Hour
	if d == 0 {
		return "0"
	}
	text := strings.Replace(strings.Replace(d.String(), "m0s", "m", 1), "h0m", "h", 1)
	if d >= 2*day && d%day == 0 {
		text += fmt.Sprintf(", %d days", d/day)
	}
	return text
}

// notANumber says in place of Go's words what a flag's value must be.
func notANumber(err error) error {
	var number *strconv.NumError
	var flag *pflag.InvalidValueError
	if !errors.As(err, &number) || !errors.As(err, &flag) || errors.Is(err, strconv.ErrRange) {
		return err
	}
	must := map[string]string{"ParseInt": "a whole number", "ParseFloat": "a number", "ParseBool": "true or false"}[number.Func]
	return fmt.Errorf("--%s must be %s, was %q", flag.GetFlag().Name, must, flag.GetValue())
}

// similarFlag asks whether a flag was meant that is spelled nearly like one that does not exist.
func similarFlag(command *cobra.Command, err error) string {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return ""
	}
	flags := &cobra.Command{SuggestionsMinimumDistance: 2} // whose commands are the flags, for cobra knows what is similar
	command.Flags().VisitAll(func(f *pflag.Flag) {
		flags.AddCommand(&cobra.Command{Use: f.Name, Hidden: f.Hidden, Run: func(*cobra.Command, []string) {}})
	})
	var names []string
	for _, name := range flags.SuggestionsFor(unknown.GetSpecifiedName()) {
		names = append(names, "--"+name)
	}
	if len(names) == 0 {
		return ""
	}
	return ", did you mean " + strings.Join(names, " or ") + "?"
}

// joined adds commands to a list. One whose name is there already gives that one its subcommands, with the flags
// that those have in common.
func joined(list []*cobra.Command, more ...*cobra.Command) []*cobra.Command {
	for _, command := range more {
		i := slices.IndexFunc(list, func(c *cobra.Command) bool { return c.Name() == command.Name() })
		if i < 0 {
			list = append(list, command)
			continue
		}
		for _, sub := range command.Commands() {
			command.RemoveCommand(sub)
			sub.Flags().AddFlagSet(command.PersistentFlags())
			sub.PersistentPreRun = command.PersistentPreRun
			list[i].AddCommand(sub)
		}
	}
	return list
}

// The groups of commands in the help.
const (
	groupServer = "server"
	groupUse    = "use"
)

func grouped(group string, commands ...*cobra.Command) []*cobra.Command {
	for _, command := range commands {
		command.GroupID = group
	}
	return commands
}

// groupOf is run for a command that only has others below it: without one of them it shows its help.
func groupOf(command *cobra.Command, args []string) error {
	if len(args) == 0 {
		return command.Help()
	}
	text := fmt.Sprintf("unknown command %q for %q", args[0], command.CommandPath())
	if command.SuggestionsMinimumDistance <= 0 {
		command.SuggestionsMinimumDistance = 2
	}
	if similar := command.SuggestionsFor(args[0]); len(similar) > 0 {
		text += ", did you mean " + strings.Join(similar, " or ") + "?"
	}
	return client.UsageError(fmt.Errorf("%s, see %s --help", text, command.CommandPath()))
}

// checkArguments makes wrong arguments of any command, and flags that it needs and has not, show how it is used, and end with that exit code.
func checkArguments(command *cobra.Command) {
	if !command.Runnable() {
		command.Args = cobra.ArbitraryArgs
		command.RunE = groupOf
	}
	if check := command.Args; check != nil {
		command.Args = func(command *cobra.Command, args []string) error {
			if err := cmp.Or(check(command, args), command.ValidateRequiredFlags(), command.ValidateFlagGroups()); err != nil {
				return client.UsageError(fmt.Errorf("%w\nusage: %s", err, command.UseLine()))
			}
			return nil
		}
	}
	for _, below := range command.Commands() {
		checkArguments(below)
	}
}
