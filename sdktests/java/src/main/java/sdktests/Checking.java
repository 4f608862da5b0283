package sdktests;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Named checks: a function per promise of the manual, and a line per check. */
final class Checking {
    /** What a queue must give back as it was sent: texts that a careless encoder changes. */
    static final Map<String, String> TEXTS = new LinkedHashMap<>();

    static {
        TEXTS.put("plain", "hello");
        TEXTS.put("unicode", "naïve Ω 日本語 🚀");
        TEXTS.put("xml", "<a b='1' c=\"2\">&amp; ]]> &#13;</a>");
        TEXTS.put("line ends", "one\r\ntwo\rthree\n\tfour");
        TEXTS.put("blanks", "  two before, two after  ");
        TEXTS.put("json", "{\"a\": \"\\u00e9\", \"b\": [1, null]}");
        TEXTS.put("base64", "aGVsbG8gd29ybGQ=");
        TEXTS.put("percent", "100% a+b %2B &c=d");
        TEXTS.put("long", "0123456789abcdef".repeat(2048));
    }

    private static final List<Check> CHECKS = new ArrayList<>();

    interface Action {
        void run() throws Exception;
    }

    private record Check(String name, Action action) {}

    private Checking() {}

    static void check(String name, Action action) {
        CHECKS.add(new Check(name, action));
    }

    /** Runs what was registered; how many failed. */
    static int run() {
        int failed = 0;
        for (Check check : CHECKS) {
            try {
                check.action.run();
                System.out.println("ok " + check.name);
            } catch (Exception | AssertionError e) {
                failed++;
                System.out.printf("FAIL %s: %s (%s)%n", check.name, e.toString().replaceAll("\\s+", " "), where(e));
            }
        }
        return failed;
    }

    private static String where(Throwable e) {
        for (StackTraceElement element : e.getStackTrace()) {
            if (element.getClassName().endsWith("Checks") || element.getClassName().endsWith("Factory")) {
                return element.getFileName() + ":" + element.getLineNumber();
            }
        }
        return "elsewhere";
    }

    static void equal(Object got, Object want, String what) {
        if (!Objects.equals(got, want)) {
            throw new AssertionError("%s: got %.300s, want %.300s".formatted(what, got, want));
        }
    }

    static <E extends Exception> E raises(Class<E> kind, Action action) throws Exception {
        try {
            action.run();
        } catch (Exception e) {
            if (kind.isInstance(e)) {
                return kind.cast(e);
            }
            throw e;
        }
        throw new AssertionError("no " + kind.getSimpleName() + " was raised");
    }
}
