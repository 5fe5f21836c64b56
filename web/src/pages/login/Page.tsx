import { useEffect, useRef, useState } from "preact/hooks";
import type { ApiError } from "../../api";
import type { PageProps } from "../../areas";
import { go } from "../../router";
import { useSession } from "../../session";
import { Button } from "../../ui/Button";
import { CheckField, TextField } from "../../ui/Field";
import { asError, useTitle } from "../../ui/hooks";
import { PageHead } from "../../ui/Small";
import { ErrorNotice } from "../../ui/States";
import "./login.css";

/** Only to a page of ours: an address from outside could lead anywhere. */
function target(query: URLSearchParams): string {
    const next = query.get("next") ?? "";
    return /^\/[^/\\]/.test(next) && !next.startsWith("/login") ? next : "/search";
}

export default function Page({ query }: PageProps) {
    useTitle("Sign in");
    const session = useSession();
    const [error, setError] = useState<ApiError | null>(null);
    const [busy, setBusy] = useState(false);
    const password = useRef<HTMLFormElement>(null);
    const next = target(query);

    useEffect(() => {
        if (session.state === "known") go(next, { replace: true });
    }, [session.state]);

    const onSubmit = async (event: SubmitEvent) => {
        event.preventDefault();
        const form = new FormData(event.currentTarget as HTMLFormElement);
        setBusy(true);
        setError(null);
        try {
            await session.signIn(String(form.get("username")).trim(), String(form.get("password")), form.has("remember"));
        } catch (fault) {
            setError(asError(fault));
            const field = password.current?.querySelector<HTMLInputElement>("[name=password]");
            field?.focus();
            field?.select();
        } finally {
            setBusy(false);
        }
    };

    return (
        <div class="login">
            <PageHead title="Sign in" />
            {error && <ErrorNotice error={error} />}
            <form ref={password} class="card login-form" onSubmit={onSubmit}>
                <TextField label="Name" name="username" autocomplete="username" autocapitalize="none" spellcheck={false} required />
                <TextField label="Password" name="password" type="password" autocomplete="current-password" required />
                <CheckField label="Stay signed in when the browser is closed" name="remember" />
                <Button kind="primary" type="submit" busy={busy}>
                    Sign in
                </Button>
            </form>
        </div>
    );
}
