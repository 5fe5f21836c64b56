import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/frame.css";
import "./styles/parts.css";
import { render } from "preact";
import { App } from "./App";
import { startRouter } from "./router";
import { SessionProvider } from "./session";
import { applyTheme } from "./theme";

applyTheme();
startRouter();
render(
    <SessionProvider>
        <App />
    </SessionProvider>,
    document.getElementById("app")!,
);
