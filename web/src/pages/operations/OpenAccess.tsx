import { useSession } from "../../session";
import { Notice } from "../../ui/States";

/** What users and keys are for where nobody has to show anything. */
export function OpenAccess() {
    const { me } = useSession();
    if (!me?.trusted) return null;
    return (
        <Notice>
            <p>
                Whoever reaches this server is its operator: it asks nobody to sign in. Users and API keys count where somebody uses them; those who show nothing may still do everything.
            </p>
        </Notice>
    );
}
